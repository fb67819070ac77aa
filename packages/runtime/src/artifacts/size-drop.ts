// A size that fell is no proof of a bad dump, and no reason to throw it away: such an artifact is kept as suspect until
// somebody has looked at it, or until it turns out that the data did shrink.
import type { StoredArtifact } from './stored-artifact.ts'

/** Below this part of what is usual, a size is suspect. */
const smallest = 0.5
/** How many artifacts say what is usual. */
const usual = 10
/** How many of a new size in a row make it the usual one; those of a run that was tried again are one. */
const enough = 3

/** What a new artifact's size means. */
export interface SizeVerdict {
  readonly state: 'valid' | 'suspect'
  /** Why it is suspect. */
  readonly reason?: string | undefined
  /** From this artifact on, sizes are compared with the new ones. */
  readonly newSize: boolean
  /** Ids of earlier suspects that turn out to be right. */
  readonly accept: readonly string[]
}

/**
 * Compares a size with the median of the last ten valid artifacts, but with none from before the last accepted change
 * of size.
 *
 * @param made - the new artifact: bytes before encoding, and which try of its plan it is of
 * @param history - earlier artifacts of the same plan, target and name, newest first; is read only as far as needed
 */
export async function judgeSize(
  made: Pick<StoredArtifact, 'size' | 'attempt'>,
  history: AsyncIterable<StoredArtifact>,
): Promise<SizeVerdict> {
  const { size } = made
  const { valid, suspects, accept } = await readHistory(history)
  const median = medianOf(valid.map((artifact) => artifact.size))
  if (median === undefined || size >= median * smallest) return { state: 'valid', newSize: false, accept }
  const inARow: StoredArtifact[] = []
  for (const suspect of suspects) {
    if (!isSameSize([size, suspect.size, ...inARow.map((each) => each.size)])) break
    inARow.push(suspect)
  }
  // What makes one dump small makes the next small that is tried a minute later: that proves nothing.
  if (made.attempt === 1 && inARow.filter(({ attempt }) => attempt === 1).length + 1 >= enough) {
    return { state: 'valid', newSize: true, accept: [...inARow.map(({ id }) => id), ...accept] }
  }
  const reason = `${size} bytes, below ${smallest * 100} % of the ${median} that are usual (median of the last ${valid.length})`
  return { state: 'suspect', reason, newSize: false, accept }
}

interface History {
  /** What says what is usual, newest first. */
  readonly valid: readonly StoredArtifact[]
  /** Those after all valid ones, newest first. */
  readonly suspects: readonly StoredArtifact[]
  /** Left suspect when the run that proved them right was interrupted. */
  readonly accept: readonly string[]
}

async function readHistory(history: AsyncIterable<StoredArtifact>): Promise<History> {
  const valid: StoredArtifact[] = []
  const suspects: StoredArtifact[] = []
  const accept: string[] = []
  let proof: StoredArtifact | undefined
  for await (const artifact of history) {
    if (artifact.state === 'invalid') continue
    if (proof) {
      const ofNewSize = isSameSize([artifact.size, proof.size]) && (artifact.state === 'suspect' || artifact.acceptance)
      if (!ofNewSize) break
      if (artifact.state === 'suspect') accept.push(artifact.id)
    } else if (artifact.state === 'suspect') {
      if (valid.length === 0) suspects.push(artifact)
    } else {
      valid.push(artifact)
      if (artifact.newSize) proof = artifact
      else if (artifact.acceptance || valid.length === usual) break
    }
  }
  return { valid, suspects, accept }
}

// Of one size: none would make another suspect.
function isSameSize(sizes: readonly number[]): boolean {
  return Math.min(...sizes) >= Math.max(...sizes) * smallest
}

function medianOf(sizes: readonly number[]): number | undefined {
  const sorted = sizes.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[middle]]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}
