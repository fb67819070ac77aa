import { join } from 'node:path'
import {
  formatDuration,
  type HoldfastError,
  type HoldfastFailure,
  type HookName,
  type Outcome,
  type Run,
  type Vars,
} from '@holdfast/sdk'
import type { StoreClaim } from '../artifacts/owner.ts'
import { errors } from '../errors.ts'
import { reasonOf, recordFailure, toFailure } from '../failure.ts'
import { quietly } from '../journal/quietly.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { createVars } from '../vars.ts'
import { claimFor, freeClaim, rememberStore, sweepLeftovers } from './claim.ts'
import { copyArtifacts } from './copies.ts'
import { describeTarget } from './describe.ts'
import { removeLeftover } from './leftovers.ts'
import { hasFailed, newRunState, noteAbort, noteFailure, outcomeOf, type RunState } from './outcome.ts'
import { closeWindow, runHook, type RunExecution } from './run.ts'
import { Scope } from './scope.ts'
import { linkSignals } from './signals.ts'
import { discoverTargets } from './targets.ts'

/** What to execute. */
export interface ExecuteOptions {
  readonly run: Run
  readonly plan: ResolvedPlan
  /** Target ids asked for; default all. */
  readonly only?: readonly string[] | undefined
  /** Cancels this run alone. */
  readonly signal?: AbortSignal | undefined
  /** Why it must do nothing; its observers are called all the same. */
  readonly refused?: HoldfastError | undefined
}

type Step = (execution: RunExecution) => Promise<void>
const hook =
  (name: HookName): Step =>
  (execution) =>
    runHook(execution, name)

const observers: readonly Step[] = [hook('onError'), hook('onFinish')]

/** The steps of each shape of run, in order; the policy table decides about each hook. */
const steps = {
  boot: [hook('installDependencies')],
  maintenance: [hook('validate'), hook('maintain')],
  backup: [
    hook('validate'),
    findTargets,
    describeInDryRun,
    hook('beforeBackups'),
    hook('backups'),
    closeWindow,
    recordTargets,
    hook('afterBackups'),
    hook('verifyBackups'),
    recordTargets,
    copyArtifacts,
    hook('pruneBackups'),
    hook('maintain'),
  ],
} satisfies Record<string, readonly Step[]>

/** Executes one attempt of a plan: always ends, in exactly one status, with everything given back. */
export async function executeRun(services: Services, options: ExecuteOptions): Promise<Outcome> {
  const { run, plan } = options
  const { clock, emit, shutdown } = services
  const began = clock.monotonic()
  const startedAt = clock.now()
  const state = newRunState(run, plan)
  if (options.refused) noteFailure(state, options.refused)
  else begin(services, run, state)
  emit({ type: 'run-started', run, at: startedAt })
  const vars = openVars(services, run, state)
  const link = linkSignals([shutdown.requested], {
    clock,
    ms: plan.budgetMs,
    reason: () => errors.RUN_BUDGET({ budget: formatDuration(plan.budgetMs) }),
  })
  const cancel = (): void => link.abort(errors.RUN_ABORTED({ reason: reasonOf(options.signal?.reason) }))
  options.signal?.addEventListener('abort', cancel, { once: true })
  if (options.signal?.aborted) cancel()
  const execution: RunExecution = {
    services,
    plan,
    run,
    state,
    vars,
    startedAt,
    began,
    signal: link.signal,
    window: new Scope(services),
    only: options.only,
  }
  const cut = (): void => noteCut(state, link.signal.reason)
  link.signal.addEventListener('abort', cut, { once: true })
  if (link.signal.aborted) cut()
  const shape = run.trigger === 'boot' ? 'boot' : plan.maintenance ? 'maintenance' : 'backup'
  let claim: StoreClaim | undefined
  try {
    if (shape === 'backup' && !run.dryRun && !hasFailed(state)) {
      claim = await claimFor(execution)
      rememberStore(execution, claim)
      const { lost } = claim
      lost.addEventListener('abort', () => link.abort(lost.reason as Error), { once: true })
    }
    for (const step of steps[shape]) await step(execution)
  } catch (error) {
    const failure = toFailure(error, { run: run.id })
    if (failure.code === 'STORE_OWNED') state.skipped = { reason: 'store-owned', error: failure }
    else noteFailure(state, failure)
  }
  // Whatever happened, nothing stays taken.
  await closeWindow(execution)
  // The outcome is fixed from here on.
  link.signal.removeEventListener('abort', cut)
  link.close()
  options.signal?.removeEventListener('abort', cancel)
  const outcome = await observe(execution, clock.monotonic() - began)
  if (claim) {
    await sweepLeftovers(execution)
    await freeClaim(services, claim)
  }
  removeVars(services, run)
  emit({ type: 'run-ended', run, outcome, status: outcome.status, durationMs: clock.monotonic() - began })
  return outcome
}

async function observe(execution: RunExecution, durationMs: number): Promise<Outcome> {
  const { services, run, state } = execution
  const outcome = outcomeOf(state)
  tellWarnings(services, run, outcome.warnings)
  const due = !run.dryRun && execution.plan.participants.some(({ hooks }) => hooks.onError ?? hooks.onFinish)
  // The end is written down before anybody is told of it.
  quietly(services, () => endRun(services, run, outcome, durationMs, due))
  for (const step of observers) await step(execution)
  if (due && services.shutdown.hurried.aborted) return outcome
  const final = { ...outcome, warnings: outcomeOf(state).warnings }
  const later = final.warnings.slice(outcome.warnings.length)
  tellWarnings(services, run, later)
  if (later.length > 0) quietly(services, () => endRun(services, run, final, durationMs, false))
  else if (due) quietly(services, () => services.journal.observersCalled(run.id))
  return final
}

function tellWarnings({ emit }: Services, run: Run, warnings: readonly HoldfastFailure[]): void {
  for (const warning of warnings) emit({ type: 'warning', run, error: recordFailure(warning) })
}

function endRun(services: Services, run: Run, outcome: Outcome, durationMs: number, observersDue: boolean): void {
  services.journal.endRun(run.id, {
    status: outcome.status,
    reason: outcome.reason,
    error: outcome.error && recordFailure(outcome.error),
    warnings: outcome.warnings.map(recordFailure),
    durationMs,
    observersDue,
  })
}

function begin({ journal, config, process, stateDirectory }: Services, run: Run, state: RunState): void {
  try {
    journal.beginRun(run, config().instance, process.id)
  } catch (cause) {
    noteFailure(state, stateUnwritable(stateDirectory, cause, run))
  }
}

/** Why a run does nothing when its state can't be written. */
export function stateUnwritable(path: string, cause: unknown, run: Run): HoldfastError {
  return errors.STATE_UNWRITABLE({ path, reason: reasonOf(cause) }, { cause, run: run.id })
}

/** A run that was cut short: by its budget it has failed, by anything else it was aborted. */
function noteCut(state: RunState, reason: unknown): void {
  const error = toFailure(reason, { run: state.run.id })
  if (error.code === 'RUN_BUDGET') noteFailure(state, error)
  else if (error.code === 'RUN_ABORTED') noteAbort(state, error)
  else noteAbort(state, errors.RUN_ABORTED({ reason: error.message }, { cause: error, run: state.run.id }))
}

async function findTargets(execution: RunExecution): Promise<void> {
  const { services, plan, run, state, signal, only } = execution
  if (hasFailed(state)) return
  try {
    state.targets.push(...(await discoverTargets(services, plan, { phase: 'run', signal, only })))
    services.emit({ type: 'targets-found', run, targets: state.targets.map(({ target }) => target.id) })
  } catch (error) {
    noteFailure(state, toFailure(error, { hook: 'targets', run: run.id }))
  }
}

async function describeInDryRun(execution: RunExecution): Promise<void> {
  const { services, plan, run, state, signal } = execution
  if (!run.dryRun || hasFailed(state)) return
  for (const target of state.targets) {
    const planned = await describeTarget(services, plan, target, signal)
    services.emit({ type: 'planned', run, target: target.target.id, steps: planned })
  }
}

async function recordTargets({ services, run, state }: RunExecution): Promise<void> {
  if (run.dryRun) return
  for (const outcome of outcomeOf(state).targets) {
    quietly(services, () => services.journal.recordTarget(run.id, outcome))
  }
}

/** A stale or broken store of variables can never stop a run: each run has a directory of its own. */
function openVars(services: Services, run: Run, state: RunState): Vars {
  const directory = varsDirectoryOf(services.stateDirectory, run.id)
  try {
    return createVars(directory)
  } catch (cause) {
    const error = stateUnwritable(directory, cause, run)
    noteFailure(state, error)
    return { directory, get: async () => undefined, set: () => Promise.reject(error) }
  }
}

/** Variables are kept until the run's undos are done and its observers called: those of a later process read them. */
export function removeVars({ journal, stateDirectory, log }: Services, run: Run): void {
  try {
    if (journal.pendingUndos().some((undo) => undo.run === run.id)) return
    if (journal.openRuns().some(({ id, observersDue }) => id === run.id && observersDue)) return
  } catch (error) {
    log.warn(`whether the variables of the run are still needed is not known: ${reasonOf(error)}; they stay`, {
      run: run.id,
      error,
    })
    return
  }
  removeLeftover(varsDirectoryOf(stateDirectory, run.id), log)
}

/** Where the variables of a run are. */
export function varsDirectoryOf(stateDirectory: string, run: string): string {
  return join(stateDirectory, 'vars', run)
}

/** Calls the observers of a run that ended with its process, or before they could be called. */
export async function observeRecovered(
  services: Services,
  plan: ResolvedPlan,
  run: Run,
  { outcome, called }: { readonly outcome: Outcome; readonly called: ReadonlySet<string> },
): Promise<void> {
  const state: RunState = { ...newRunState(run, plan), ended: outcome }
  const vars = openVars(services, run, state)
  const { signal } = new AbortController()
  const window = new Scope(services)
  const startedAt = services.clock.now()
  const execution: RunExecution = {
    services,
    plan,
    run,
    state,
    vars,
    startedAt,
    began: services.clock.monotonic(),
    signal,
    window,
    called,
    only: undefined,
  }
  for (const step of observers) await step(execution)
  tellWarnings(services, run, state.warnings)
  if (services.shutdown.hurried.aborted) return
  quietly(services, () => services.journal.observersCalled(run.id))
  removeVars(services, run)
}
