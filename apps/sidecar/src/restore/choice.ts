import { errors } from '../errors.ts'
import { findArtifacts, type FoundArtifact, type Stores } from '../stores.ts'

/** Which backup to restore. */
export interface RestoreSelection {
  readonly plan?: string | undefined
  readonly target?: string | undefined
  /** As it was then; default: now. */
  readonly at?: Date | undefined
}

/** What was chosen: the artifacts that one run made for one target. */
export interface RestoreChoice {
  readonly found: readonly FoundArtifact[]
  /** Newer artifacts that were passed over, because they are not to be relied on. */
  readonly passedOver: readonly FoundArtifact[]
}

/**
 * The newest sound backup of one target at a time.
 *
 * @throws HoldfastError `RESTORE_NOTHING`, `RESTORE_CHOICE`
 */
export async function chooseBackup(stores: Stores, selection: RestoreSelection): Promise<RestoreChoice> {
  const { plan, target, at } = selection
  const fitting: FoundArtifact[] = []
  for await (const found of findArtifacts(stores, { plan, target })) {
    if (!at || found.artifact.createdAt <= at) fitting.push(found)
  }
  assertOne('instance', fitting)
  assertOne('plan', fitting)
  assertOne('target', fitting)
  const newestFirst = fitting.toSorted((a, b) => b.artifact.startedAt.getTime() - a.artifact.startedAt.getTime())
  const setOf = ({ artifact }: FoundArtifact): readonly FoundArtifact[] =>
    newestFirst.filter((other) => other.artifact.run === artifact.run)
  const whole = newestFirst.filter((each) => isWhole(setOf(each), stores.unreadable))
  // What was read back once is better than what was not: a run that failed leaves what it had saved so far.
  const sound = whole.find((each) => setOf(each).every(({ artifact }) => artifact.verifiedAt)) ?? whole[0]
  if (!sound) {
    const what = [
      `no ${fitting.length > 0 ? 'sound ' : ''}artifact`,
      plan !== undefined && `of plan "${plan}"`,
      target !== undefined && `of target "${target}"`,
      at && `from before ${at.toISOString()}`,
      `in ${stores.address}`,
    ]
    throw errors.RESTORE_NOTHING({ what: what.filter(Boolean).join(' ') })
  }
  const { run, startedAt } = sound.artifact
  return {
    found: newestFirst.filter(({ artifact }) => artifact.run === run),
    passedOver: newestFirst.filter(({ artifact }) => artifact.run !== run && artifact.startedAt > startedAt),
  }
}

/** Whether everything that a run made is there, and sound. */
function isWhole(set: readonly FoundArtifact[], unreadable: readonly string[]): boolean {
  const directory = set[0]?.artifact.id.replace(/[^/]*$/, '') ?? ''
  return (
    set.every(({ artifact }) => artifact.state === 'valid') && !unreadable.some((key) => key.includes(`/${directory}`))
  )
}

function assertOne(what: 'instance' | 'plan' | 'target', found: readonly FoundArtifact[]): void {
  const names = [...new Set(found.map(({ artifact }) => artifact[what]))]
  if (names.length > 1) throw errors.RESTORE_CHOICE({ what, found: names.join(', ') })
}
