// What a copy lacks. Both stores are asked and nothing else: a copy that was away for a month, or was added today,
// catches up by itself.
import type { HoldfastError, RestorePoint } from '@holdfast/sdk'
import { listArtifacts, type CatalogueOptions } from './catalogue.ts'
import { objectKey } from './keys.ts'
import type { StoredArtifact } from './stored-artifact.ts'

/** A plan's artifacts in a copy against those in the store itself; each list newest first. */
export interface CopyLack {
  /** Not in the copy, or damaged there. */
  readonly missing: readonly MissingArtifact[]
  /** In the copy, but never read back there. */
  readonly unproven: readonly StoredArtifact[]
  /** Accepted in the store, and not yet in the copy. */
  readonly unaccepted: readonly StoredArtifact[]
}

/** An artifact as the store has it. */
export interface MissingArtifact {
  readonly artifact: StoredArtifact
  /** The copy has it, but damaged. */
  readonly isThere: boolean
}

/** What is compared. */
export interface FindLackOptions {
  /** The store itself. */
  readonly from: CatalogueOptions
  readonly to: CatalogueOptions
  readonly plan: string
  /** What retention would let go of these: what a copy would remove at once is not copied. */
  readonly expire: (artifacts: readonly StoredArtifact[]) => readonly RestorePoint[]
  readonly signal: AbortSignal
}

/**
 * Compares a copy with the store.
 *
 * @throws HoldfastError `STORAGE_…` of either
 */
export async function findLack({ from, to, plan, expire, signal }: FindLackOptions): Promise<CopyLack> {
  const unreadable = new Map<unknown, string>()
  const onProblem = ({ code, details }: HoldfastError): void => void unreadable.set(details['key'], code)
  const there = new Map<string, StoredArtifact>()
  for await (const artifact of listArtifacts(to, { plan, signal, onProblem })) there.set(artifact.id, artifact)
  const problemOf = (id: string): string | undefined => unreadable.get(objectKey(to.instance, id, 'manifest'))

  const wanted: StoredArtifact[] = []
  for await (const artifact of listArtifacts(from, { plan, signal })) {
    // What is damaged in the store itself is not worth a copy; what a newer version has written here is not ours.
    if (artifact.state !== 'invalid' && problemOf(artifact.id) !== 'MANIFEST_NEWER') wanted.push(artifact)
  }
  const known = new Set(wanted.map(({ id }) => id))
  const older = [...there.values()].filter(({ id }) => !known.has(id))
  const expired = new Set(expire([...wanted, ...older]).map(({ id }) => id))
  const isSound = (id: string): boolean => (there.get(id)?.state ?? 'invalid') !== 'invalid'
  return {
    missing: wanted
      .filter(({ id }) => !isSound(id) && !expired.has(id))
      .map((artifact) => ({ artifact, isThere: there.has(artifact.id) || problemOf(artifact.id) !== undefined })),
    unproven: wanted.filter(
      ({ id, verifiedAt }) => verifiedAt !== undefined && isSound(id) && there.get(id)?.verifiedAt === undefined,
    ),
    unaccepted: wanted.filter(({ id, acceptance }) => acceptance && there.get(id)?.state === 'suspect'),
  }
}
