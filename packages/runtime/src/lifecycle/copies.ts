// Copies of artifacts in further stores: after everything is given back and was read back, so that nothing stands still
// for them and nothing damaged is copied. What goes wrong with a copy is a warning and makes the run partial; it touches
// neither the store itself nor another copy.
import { formatDuration, type HoldfastError } from '@holdfast/sdk'
import { claimStore } from '../artifacts/owner.ts'
import { isSameStore } from '../artifacts/same-store.ts'
import { errors } from '../errors.ts'
import { reasonOf, recordFailure, toFailure } from '../failure.ts'
import type { ResolvedCopy } from '../load/resolved.ts'
import { callWithDeadline } from './call.ts'
import { claimTimeoutMs, freeClaim } from './claim.ts'
import { findExpiredInCopy } from './copy-retention.ts'
import { bringUpToDate, openCopy } from './copy-store.ts'
import { lackingWarning, newTally, type CopyTally } from './copy-tally.ts'
import { hasFailed } from './outcome.ts'
import type { RunExecution } from './run.ts'
import { linkSignals } from './signals.ts'

/** How much of what is left of a run's budget copies may take: a slow one must not make the run a failure. */
const share = 0.9

/** Brings every copy of the plan up to date, each on its own. Never rejects. */
export async function copyArtifacts(execution: RunExecution): Promise<void> {
  const { plan, run, state, signal } = execution
  if (signal.aborted) return
  if (run.dryRun) return hasFailed(state) ? undefined : printPrunes(execution)
  if (!state.targets.some(({ status }) => status === 'succeeded')) return
  const told = new Set<string>()
  const results = await Promise.all(plan.copies.map((copy) => bringOneUpToDate(execution, copy)))
  for (const { copy, warnings, isBehind } of results) {
    if (isBehind) state.copiesBehind.push(copy.name)
    // Two copies that lack the same, because the store itself doesn't give it back, say the same.
    state.warnings.push(...warnings.filter(({ message }) => !told.has(message)))
    for (const { message } of warnings) told.add(message)
  }
}

interface CopyResult {
  readonly copy: ResolvedCopy
  readonly warnings: readonly HoldfastError[]
  readonly isBehind: boolean
}

async function bringOneUpToDate(execution: RunExecution, copy: ResolvedCopy): Promise<CopyResult> {
  const { services, plan, run } = execution
  const { clock, emit } = services
  const began = clock.monotonic()
  const tally = newTally()
  let failure: HoldfastError | undefined
  try {
    await inTime(execution, copy, tally)
  } catch (error) {
    failure = toFailure(error, { run: run.id })
    if (failure.code === 'HOOK_TIMEOUT') {
      const after = formatDuration(clock.monotonic() - began)
      failure = errors.COPY_SLOW({ copy: copy.name, after }, { cause: error, run: run.id })
    }
  }
  if (failure?.code === 'COPY_SOURCE') {
    tally.sources.push(failure)
    failure = undefined
  }
  failure ??= tally.failures[0]
  const pruning = tally.notPruned.map((cause) =>
    errors.COPY_NOT_PRUNED({ plan: plan.name, copy: copy.name, reason: reasonOf(cause) }, { cause, run: run.id }),
  )
  const lacking = failure && lackingWarning(execution, copy, tally, failure)
  emit({
    type: 'copy-ended',
    run,
    copy: copy.name,
    copied: tally.copied.length,
    lacks: tally.isCompared ? tally.lacking.length : undefined,
    durationMs: clock.monotonic() - began,
    error: lacking && recordFailure(lacking),
  })
  return {
    copy,
    warnings: [...(lacking ? [lacking] : []), ...tally.sources, ...pruning],
    isBehind: failure !== undefined || tally.sources.length > 0,
  }
}

async function inTime(execution: RunExecution, copy: ResolvedCopy, tally: CopyTally): Promise<void> {
  const { services, plan, signal, began } = execution
  const { clock, shutdown } = services
  if (isSameStore(services.store().driver, copy.driver))
    throw errors.COPY_SAME_STORE({ copy: copy.name, other: 'the store itself' })
  await callWithDeadline((deadline) => whileClaimed(execution, copy, tally, deadline), {
    clock,
    where: `copying to ${copy.name}`,
    timeoutMs: Math.max(0, share * (plan.budgetMs - (clock.monotonic() - began))),
    parents: [signal],
    hurried: shutdown.abandoned,
  })
}

/** A copy has an owner, as the store itself has. */
async function whileClaimed(
  execution: RunExecution,
  copy: ResolvedCopy,
  tally: CopyTally,
  deadline: AbortSignal,
): Promise<void> {
  const { services, plan, run } = execution
  const { clock, log, journal, process } = services
  const open = openCopy(services, copy)
  const { driver, instance } = open.store
  const holder = { stateId: journal.stateId(), podUid: process.pod, host: process.host }
  const choosing = linkSignals([deadline], {
    clock,
    ms: claimTimeoutMs,
    reason: () => errors.STORE_CLAIM_SLOW({ plan: plan.name, took: 'too long' }),
  })
  const claim = await claimStore({
    driver,
    instance,
    plan: plan.name,
    holder,
    run: run.id,
    clock,
    log,
    signal: choosing.signal,
  }).finally(() => choosing.close())
  const link = linkSignals([deadline, claim.lost])
  try {
    await bringUpToDate(execution, { copy, open, tally, signal: link.signal })
  } finally {
    link.close()
    await freeClaim(services, claim)
  }
}

/** In a dry run: what would go. Reads only. */
async function printPrunes(execution: RunExecution): Promise<void> {
  const { services, plan, run, state, signal } = execution
  if (!plan.retention) return
  for (const copy of plan.copies) {
    const { store } = openCopy(services, copy)
    try {
      for (const { target } of state.targets) {
        const { expired: points, kept } = await findExpiredInCopy(services, plan, store, target.id, signal)
        services.emit({ type: 'pruned', run, target: target.id, points, kept, dryRun: true, copy: copy.name })
      }
    } catch (error) {
      if (signal.aborted) return
      state.warnings.push(errors.COPY_UNREACHABLE({ copy: copy.name, reason: reasonOf(error) }, { cause: error }))
    }
  }
}
