import type { BenjiVersion } from '../benji/version.ts'
import { labelNames, ownLabelNames } from '../labels.ts'
import type { RbdImage } from '../rbd/image.ts'
import type { RbdSnapshot } from '../rbd/rbd.ts'
import { isSnapshotName } from '../rbd/snapshot-name.ts'
import { isOfImage } from './of-image.ts'

/** What is known before a backup. */
export interface ChainInput {
  readonly image: RbdImage
  /** Oldest first. */
  readonly snapshots: readonly RbdSnapshot[]
  /** All versions of the volume. */
  readonly versions: readonly BenjiVersion[]
  readonly instance: string
  /** Benji's storage that is written to, and the size of its blocks. */
  readonly storage: string
  readonly blockSize: number
  /** Names of snapshots that our journal knows to be ours. */
  readonly recorded: ReadonlySet<string>
}

/** How a volume's backups go on. */
export interface Chain {
  /** What the next backup counts from; `undefined`: it is full. */
  readonly base: { readonly version: BenjiVersion; readonly snapshot: string } | undefined
  /** Why it is full, for people. */
  readonly reason: string | undefined
  /** Snapshots that are ours, oldest first; all are superfluous once a newer one has a good version. */
  readonly ours: readonly string[]
  /** Snapshots that look like ours and aren't known to be: never touched here (`holdfast benji gc`). */
  readonly foreign: readonly string[]
}

/**
 * Finds the newest snapshot that a differential backup can count from: one of ours, whose version is valid, in the
 * storage and with the block size of the next one, and made of this very image (K8, K9, K23). A snapshot `b-…` is ours
 * when a version of this volume and instance has its name, or our journal has it.
 */
export function readChain(input: ChainInput): Chain {
  const { snapshots, versions, instance, recorded } = input
  const ofSnapshot = Map.groupBy(
    versions.filter(({ labels }) => labels[labelNames.instance] === instance),
    ({ snapshot }) => snapshot,
  )
  const named = snapshots.filter(({ name }) => isSnapshotName(name))
  const isOurs = ({ name }: RbdSnapshot): boolean => ofSnapshot.has(name) || recorded.has(name)
  const ours = named.filter(isOurs)
  const whose = { ours: names(ours), foreign: names(named.filter((snapshot) => !isOurs(snapshot))) }
  const refusals: string[] = []
  for (const { name } of ours.toReversed()) {
    const candidates = ofSnapshot.get(name) ?? []
    if (candidates.length === 0) refusals.push(`${name} has no version`)
    for (const version of candidates.toSorted((a, b) => b.date.getTime() - a.date.getTime())) {
      const refusal = refuse(version, input)
      if (refusal === undefined) return { base: { version, snapshot: name }, reason: undefined, ...whose }
      refusals.push(`version ${version.uid} of ${name} ${refusal}`)
    }
  }
  const reason = ours.length === 0 ? 'there is no snapshot of an earlier backup' : refusals[0]
  return { base: undefined, reason, ...whose }
}

/** Why a version can't be what a differential backup counts from. */
function refuse(version: BenjiVersion, { image, storage, blockSize }: ChainInput): string | undefined {
  const { status, labels } = version
  if (status !== 'valid') return `is ${status}`
  if (labels[ownLabelNames.sourceMismatch] !== undefined) return 'differs from its source'
  if (version.storage !== storage) return `is in the storage ${version.storage}`
  if (version.blockSize !== blockSize) return `has blocks of ${version.blockSize} bytes`
  return isOfImage(version, image) ? undefined : 'is of another image'
}

function names(snapshots: readonly RbdSnapshot[]): readonly string[] {
  return snapshots.map(({ name }) => name)
}
