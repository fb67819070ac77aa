// What became of a copy in a run, and how that is said.
import type { HoldfastError } from '@holdfast/sdk'
import type { StoredArtifact } from '../artifacts/store.ts'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import type { ResolvedCopy } from '../load/resolved.ts'
import type { RunExecution } from './run.ts'

/** How many artifacts a warning names for machines; it is kept in the journal, and a new copy may lack thousands. */
const mostNamed = 100

/** What became of a copy. */
export interface CopyTally {
  /** Ids. */
  readonly copied: string[]
  /** In the store, and not in the copy. */
  readonly lacking: StoredArtifact[]
  /** In the copy, and not to be read there. */
  readonly unproven: StoredArtifact[]
  /** Why; the first one is told. */
  readonly failures: HoldfastError[]
  /** What the store itself does not give back. */
  readonly sources: HoldfastError[]
  /** Why something that should go stays. */
  readonly notPruned: HoldfastError[]
  /** Whether it is known what it lacks. */
  isCompared: boolean
}

/** Nothing was done yet. */
export function newTally(): CopyTally {
  return { copied: [], lacking: [], unproven: [], failures: [], sources: [], notPruned: [], isCompared: false }
}

/** A copy that could not be brought up to date, in one warning: what it lacks and why. */
export function lackingWarning(
  { plan, run }: Pick<RunExecution, 'plan' | 'run'>,
  copy: ResolvedCopy,
  tally: CopyTally,
  cause: HoldfastError,
): HoldfastError {
  return errors.COPY_INCOMPLETE(
    {
      plan: plan.name,
      copy: copy.name,
      lacks: describeLack(tally),
      reason: reasonOf(cause),
      fix: fixes[cause.code] ?? cause.hint,
    },
    {
      cause,
      run: run.id,
      details: { lacks: tally.lacking.slice(0, mostNamed).map(({ id }) => id), because: cause.code },
    },
  )
}

const shared =
  'Another machine copies a plan of this name there: give one of the two installations an `instance` name of its own.'
const rotten = 'It gives back other bytes than were written there: check the disk or the network behind it.'

/** What to do about it, where the hint is about a store whose failure would mean that there is no backup. */
const fixes: Readonly<Record<string, string>> = {
  STORAGE_IO: 'Check the disk or the network behind it.',
  STORAGE_FULL: 'Make room there or raise its quota, or keep less with `retention`.',
  STORAGE_READ_ONLY: 'Make it writable for this user.',
  STORE_OWNED: shared,
  STORE_LOST: shared,
  ARTIFACT_DIGEST: rotten,
  ARTIFACT_DATA_MISSING: rotten,
}

function describeLack({ lacking, isCompared }: CopyTally): string {
  if (!isCompared) return 'what was stored since it was last reached'
  const ids = lacking.map(({ id }) => id)
  if (ids.length === 0) return 'nothing, but is not known to be good'
  const shown = ids.length > 3 ? [...ids.slice(0, 3), `and ${ids.length - 3} more`] : ids
  return `${ids.length} ${ids.length === 1 ? 'artifact' : 'artifacts'} (${shown.join(', ')})`
}
