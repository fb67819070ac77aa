// One copy of one plan's artifacts: what is done there while it is claimed.
import { isHoldfastError } from '@holdfast/sdk'
import { boundedDriver, longestIdleMs as idleMs } from '../artifacts/bounded-driver.ts'
import { checkCopied, copyAcceptance, copyArtifact, copyVerification, type CopyOptions } from '../artifacts/copy.ts'
import { findLack, type MissingArtifact } from '../artifacts/copy-lack.ts'
import { typedDriver } from '../artifacts/objects.ts'
import { createArtifactStore, type ArtifactStore, type StoredArtifact } from '../artifacts/store.ts'
import { reasonOf, toFailure } from '../failure.ts'
import type { ResolvedCopy } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { decide, findExpiredInCopy } from './copy-retention.ts'
import type { CopyTally } from './copy-tally.ts'
import { hasFailed, type TargetState } from './outcome.ts'
import { isPrunable, type RunExecution } from './run.ts'

/** So many artifacts in a row that a copy could not take, and it is asked for no more. */
const patience = 3

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
