import type { BenjiVersion } from '../benji/version.ts'
import { labelNames, ownLabelNames } from '../labels.ts'
import { formatImage, type RbdImage } from '../rbd/image.ts'
import { imageOf } from './image-of.ts'
import type { Owners } from './owners.ts'

/** A snapshot that no further backup of this plan needs. */
export interface Garbage {
  readonly image: RbdImage
  readonly snapshot: string
  /**
   * `orphan`: its claim is gone, and the snapshot keeps the image from being deleted; `superseded`: a newer one has a good
   * version; `unknown`: named like a backup's, but no version knows it; `other`: a version of another installation has
   * it; `unfinished`: so has a version that isn't complete; `elsewhere`: it is of a volume that isn't this plan's.
   */
  readonly why: 'orphan' | 'superseded' | 'unknown' | 'other' | 'unfinished' | 'elsewhere'
  readonly volume: string | undefined
}

/** What {@link judge} looks at. */
export interface JudgeOptions {
  readonly image: RbdImage
  /** Those that are named like a backup's, oldest first. */
  readonly snapshots: readonly string[]
  /** All of Benji's. */
  readonly versions: readonly BenjiVersion[]
  readonly instance: string
  readonly owners: Owners
}

/** Says which snapshots of an image were left behind. What a backup may still count from is never among them. */
export function judge({ image, snapshots, versions, instance, owners }: JudgeOptions): readonly Garbage[] {
  const path = formatImage(image)
  const made = versions.filter((version) => pathOf(version) === path)
  const ours = made.filter(({ labels }) => labels[labelNames.instance] === instance)
  const newest = newestGood(snapshots, ours)
  return snapshots.flatMap((snapshot, at): readonly Garbage[] => {
    const known = ours.filter((version) => version.snapshot === snapshot)
    const [first] = known
    if (!first) {
      const volume = owners.volumesOf(path).join(', ') || undefined
      return [{ image, snapshot, why: whyNotOurs(snapshot, made, versions), volume }]
    }
    const found = (why: Garbage['why']): readonly Garbage[] => [{ image, snapshot, why, volume: first.volume }]
    const whose = known.map(({ volume }) => owners.of(volume, path))
    if (whose.every((owner) => owner === 'gone')) return found('orphan')
    if (!whose.includes('current')) return whose.includes('there') ? [] : found('elsewhere')
    // Its newest in any storage is what some plan's next backup of a volume counts from.
    const isSuperseded = known.every(
      (version) =>
        ![...newest].some(([key, index]) => key.startsWith(`${version.volume}\n`) && index === at) &&
        [...newest].some(([key, index]) => key.startsWith(`${version.volume}\n`) && index > at),
    )
    return isSuperseded ? found('superseded') : []
  })
}

/** By volume and storage: where the newest snapshot stands that has a good version there. */
function newestGood(snapshots: readonly string[], versions: readonly BenjiVersion[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>()
  for (const { volume, storage, snapshot, status, labels } of versions) {
    const at = snapshots.indexOf(snapshot)
    if (at === -1 || status !== 'valid' || labels[ownLabelNames.sourceMismatch] !== undefined) continue
    const key = `${volume}\n${storage}`
    newest.set(key, Math.max(at, newest.get(key) ?? -1))
  }
  return newest
}

function whyNotOurs(
  snapshot: string,
  made: readonly BenjiVersion[],
  versions: readonly BenjiVersion[],
): 'unknown' | 'other' | 'unfinished' {
  if (made.some((version) => version.snapshot === snapshot)) return 'other'
  // Labels come last: of which image it is isn't known yet.
  const isBeingMade = versions.some(
    (version) => version.snapshot === snapshot && version.status === 'incomplete' && !imageOf(version),
  )
  return isBeingMade ? 'unfinished' : 'unknown'
}

function pathOf(version: BenjiVersion): string | undefined {
  const image = imageOf(version)
  return image && formatImage(image)
}
