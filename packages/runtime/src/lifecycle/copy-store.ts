// One copy of one plan's artifacts: what is done there while it is claimed.
import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { boundedDriver } from '../artifacts/bounded-driver.ts'
import { checkCopied, copyAcceptance, copyArtifact, copyVerification, type CopyOptions } from '../artifacts/copy.ts'
import { findLack, type MissingArtifact } from '../artifacts/copy-lack.ts'
import { typedDriver } from '../artifacts/objects.ts'
import { planRetention } from '../artifacts/retention.ts'
import { createArtifactStore, type ArtifactStore, type StoredArtifact } from '../artifacts/store.ts'
import { errors } from '../errors.ts'
import { reasonOf, toFailure } from '../failure.ts'
import type { ResolvedCopy, ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { pointOf, type Expiry } from './builtins.ts'
import { hasFailed, type TargetState } from './outcome.ts'
import { isPrunable, type RunExecution } from './run.ts'

/** A store that does nothing for so long is given up. */
const idleMs = 10 * 60_000
/** So many artifacts in a row that a copy could not take, and it is asked for no more. */
const patience = 3

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

/** A copy, opened: its own artifacts, and the way into it. */
export interface OpenCopy {
  readonly store: ArtifactStore
  readonly options: CopyOptions
}

/** Opens a copy; nothing is read or written yet. Every operation on it ends. */
export function openCopy({ clock, log, config, store }: Services, { driver }: ResolvedCopy): OpenCopy {
  const { instance } = config()
  const bounded = boundedDriver(driver, { clock, idleMs })
  const from = typedDriver(boundedDriver(store().driver, { clock, idleMs }))
  return {
    store: createArtifactStore({ driver: bounded, instance, clock, log }),
    options: { from, to: typedDriver(bounded), instance, clock, log },
  }
}

/**
 * Brings a claimed copy up to date: removes what an interrupted run left there, copies what it lacks, reads back what
 * nobody has read back yet, and lets go what its own list has too much of.
 *
 * @param tally - is told what happened, as it happens
 * @throws the signal's reason, or why the copy can't be compared with the store
 */
export async function bringUpToDate(
  execution: RunExecution,
  {
    copy,
    open,
    tally,
    signal,
  }: {
    readonly copy: ResolvedCopy
    readonly open: OpenCopy
    readonly tally: CopyTally
    readonly signal: AbortSignal
  },
): Promise<void> {
  const { services, plan, run, startedAt } = execution
  const { log } = services
  const { options, store } = open
  try {
    const removed = await store.sweep({ plan: plan.name, before: startedAt, signal })
    if (removed.length > 0)
      log.info(`removed what interrupted runs had left in ${copy.name}`, { plan: plan.name, removed })
  } catch (error) {
    throwIfHopeless(error, signal)
    log.warn(`what interrupted runs had left in ${copy.name} was not removed: ${reasonOf(error)}`, { error })
  }
  const lack = await findLack({
    from: { driver: options.from, instance: options.instance, log },
    to: { driver: options.to, instance: options.instance, log },
    plan: plan.name,
    expire: (artifacts) => decide(plan, artifacts, services.clock.now()).expired,
    signal,
  })
  tally.lacking.push(...lack.missing.map(({ artifact }) => artifact))
  tally.isCompared = true
  const storedSize = lack.missing.reduce((sum, { artifact }) => sum + artifact.storedSize, 0)
  services.emit({ type: 'copy-started', run, copy: copy.name, lacks: lack.missing.length, storedSize })
  await copyAll(execution, { copy, options, tally, signal }, lack.missing)
  for (const artifact of lack.unproven) await prove(execution, { copy, options, tally, signal }, artifact)
  for (const artifact of lack.unaccepted) await copyAcceptance(options, artifact, signal)
  await prune(execution, { copy, store, tally, signal })
}

interface Work {
  readonly copy: ResolvedCopy
  readonly options: CopyOptions
  readonly tally: CopyTally
  readonly signal: AbortSignal
}

// Newest first: what would be restored comes before history.
async function copyAll(execution: RunExecution, work: Work, missing: readonly MissingArtifact[]): Promise<void> {
  let failedInARow = 0
  for (const each of missing) {
    const failed = await copyOne(execution, work, each)
    failedInARow = failed ? failedInARow + 1 : 0
    if (failedInARow === patience) return
  }
}

/** @returns whether the copy could not take it */
async function copyOne(
  { services, run }: RunExecution,
  { copy, options, tally, signal }: Work,
  { artifact, isThere }: MissingArtifact,
): Promise<boolean> {
  const { clock, emit } = services
  const began = clock.monotonic()
  try {
    const isCopied = await copyArtifact(options, artifact, { isThere, signal })
    tally.lacking.splice(tally.lacking.indexOf(artifact), 1)
    if (!isCopied) return false
  } catch (error) {
    throwIfHopeless(error, signal)
    const failure = toFailure(error, { run: run.id })
    if (failure.code === 'COPY_SOURCE') tally.sources.push(failure)
    else tally.failures.push(failure)
    return failure.code !== 'COPY_SOURCE'
  }
  const { id, target, storedSize } = artifact
  tally.copied.push(id)
  const durationMs = clock.monotonic() - began
  emit({ type: 'artifact-copied', run, copy: copy.name, target, artifact: id, storedSize, durationMs })
  return false
}

/** Reads back what the copy has, and copies it once more where that is damaged. */
async function prove(execution: RunExecution, work: Work, artifact: StoredArtifact): Promise<void> {
  const { options, tally, signal } = work
  try {
    await checkCopied(options, artifact, signal)
    await copyVerification(options, artifact, signal)
  } catch (error) {
    throwIfHopeless(error, signal)
    if (!isHoldfastError(error) || !['ARTIFACT_DIGEST', 'ARTIFACT_DATA_MISSING'].includes(error.code)) {
      tally.failures.push(toFailure(error, { run: execution.run.id }))
      tally.unproven.push(artifact)
      return
    }
    tally.lacking.push(artifact)
    await copyOne(execution, work, { artifact, isThere: true })
  }
}

// By the copy's own list. Where something is missing nothing goes: what stays may have to stand in for it.
async function prune(
  execution: RunExecution,
  { copy, store, tally, signal }: Pick<Work, 'copy' | 'tally' | 'signal'> & { readonly store: ArtifactStore },
): Promise<void> {
  const { services, plan, run, state } = execution
  const isIncomplete = (target: TargetState): boolean =>
    [...tally.lacking, ...tally.unproven].some((artifact) => artifact.target === target.target.id)
  const targets = state.targets.filter((target) => isPrunable(target) && !isIncomplete(target))
  if (!plan.retention || hasFailed(state)) return
  for (const { target } of targets) {
    try {
      const { expired, kept } = await findExpiredInCopy(services, plan, store, target.id, signal)
      // The plan is printed before anything is removed.
      const decided = { target: target.id, points: expired, kept, copy: copy.name }
      services.emit({ type: 'pruned', run, ...decided, dryRun: false })
      for (const { id } of expired) {
        signal.throwIfAborted()
        await store.remove(id, { signal })
        services.meter
          .counter('holdfast_retention_deleted_total', 'Restore points removed by retention', ['reason'])
          .add(1, { reason: 'expired_copy' })
      }
    } catch (error) {
      throwIfHopeless(error, signal)
      tally.notPruned.push(toFailure(error, { run: run.id }))
      return
    }
  }
}

/** There is no time any more, or there would be none soon: whoever waits for a store that hangs waits again with each call. */
function throwIfHopeless(error: unknown, signal: AbortSignal): void {
  signal.throwIfAborted()
  const reasons = isHoldfastError(error) ? [error, error.cause] : []
  if (reasons.some((reason) => isHoldfastError(reason) && reason.code === 'STORAGE_STALLED')) throw error
}

/** What the plan's retention lets go of a target's artifacts in a copy, newest first. */
export async function findExpiredInCopy(
  { clock }: Pick<Services, 'clock'>,
  plan: ResolvedPlan,
  store: Pick<ArtifactStore, 'list'>,
  target: string,
  signal: AbortSignal,
): Promise<Omit<Expiry, 'points'>> {
  const artifacts: StoredArtifact[] = []
  for await (const artifact of store.list({ plan: plan.name, target, signal })) artifacts.push(artifact)
  return decide(plan, artifacts, clock.now())
}

/** Applies a plan's retention to artifacts. Those of different targets and names are different series. */
export function decide(
  { retention, schedule }: ResolvedPlan,
  artifacts: readonly StoredArtifact[],
  now: Date,
): Omit<Expiry, 'points'> {
  if (!retention) return { expired: [], kept: [] }
  const series = Map.groupBy(artifacts, ({ target, name }) => JSON.stringify([target, name]))
  const decided = [...series.values()].map((each) =>
    planRetention(each.map(pointOf), retention, now, schedule?.timeZone),
  )
  return {
    expired: decided
      .flatMap(({ expire }) => expire.map(({ point }) => point))
      .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime()),
    kept: decided.flatMap(({ keep }) => keep),
  }
}

/** A copy that could not be brought up to date, in one warning: what it lacks and why. */
export function lackingWarning(
  { plan, run }: Pick<RunExecution, 'plan' | 'run'>,
  copy: ResolvedCopy,
  tally: CopyTally,
  cause: HoldfastError,
): HoldfastError {
  return errors.COPY_INCOMPLETE(
    { plan: plan.name, copy: copy.name, lacks: describeLack(tally), reason: reasonOf(cause), fix: fixFor(cause) },
    {
      cause,
      run: run.id,
      details: { lacks: tally.lacking.slice(0, mostNamed).map(({ id }) => id), because: cause.code },
    },
  )
}

/** What to do about it. Some hints are about a store that a run was to begin with. */
function fixFor({ code, hint }: HoldfastError): string | undefined {
  if (code === 'STORE_OWNED' || code === 'STORE_LOST')
    return 'Another machine copies a plan of this name there: give one of the two installations an `instance` name of its own.'
  if (code === 'ARTIFACT_DIGEST' || code === 'ARTIFACT_DATA_MISSING')
    return 'It gives back other bytes than were written there: check the disk or the network behind it.'
  return hint
}

function describeLack({ lacking, isCompared }: CopyTally): string {
  if (!isCompared) return 'what was stored since it was last reached'
  const ids = lacking.map(({ id }) => id)
  if (ids.length === 0) return 'nothing, but is not known to be good'
  const shown = ids.length > 3 ? [...ids.slice(0, 3), `and ${ids.length - 3} more`] : ids
  return `${ids.length} ${ids.length === 1 ? 'artifact' : 'artifacts'} (${shown.join(', ')})`
}
