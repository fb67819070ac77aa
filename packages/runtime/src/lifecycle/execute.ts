import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { formatDuration, type HookName, type Outcome, type Run, type Vars } from '@holdfast/sdk'
import { claimStore, type StoreClaim } from '../artifacts/owner.ts'
import { errors } from '../errors.ts'
import { reasonOf, recordFailure, toFailure } from '../failure.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { createVars } from '../vars.ts'
import { checkContext } from './contexts.ts'
import { describeTarget } from './describe.ts'
import { newRunState, outcomeOf, type RunState } from './outcome.ts'
import { closeWindow, quietly, runHook, type RunExecution } from './run.ts'
import { Scope } from './scope.ts'
import { linkSignals } from './signals.ts'
import { findTargets } from './targets.ts'
import { workspaceName } from './workspaces.ts'

/** What to execute. */
export interface ExecuteOptions {
  readonly run: Run
  readonly plan: ResolvedPlan
  /** Target ids asked for; default all. */
  readonly only?: readonly string[] | undefined
  /** Cancels this run alone. */
  readonly signal?: AbortSignal | undefined
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
    discoverTargets,
    describeInDryRun,
    hook('beforeBackups'),
    hook('backups'),
    closeWindow,
    recordTargets,
    hook('afterBackups'),
    hook('verifyBackups'),
    recordTargets,
    hook('pruneBackups'),
    hook('maintain'),
  ],
} satisfies Record<string, readonly Step[]>

/** Executes one attempt of a plan: always ends, in exactly one status, with everything given back. */
export async function executeRun(services: Services, options: ExecuteOptions): Promise<Outcome> {
  const { run, plan } = options
  const { clock, journal, emit, shutdown } = services
  const began = clock.monotonic()
  const state = newRunState(run, plan)
  journal.beginRun(run, services.config().instance, services.process.id)
  emit({ type: 'run-started', run, at: clock.now() })
  const vars = openVars(services, run)
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
    signal: link.signal,
    window: new Scope(() => workspaceName(services)),
    only: options.only,
  }
  const noteAbort = (): void => noteCut(state, link.signal.reason)
  link.signal.addEventListener('abort', noteAbort, { once: true })
  if (link.signal.aborted) noteAbort()
  const shape = run.trigger === 'boot' ? 'boot' : plan.maintenance ? 'maintenance' : 'backup'
  let claim: StoreClaim | undefined
  try {
    if (shape === 'backup' && !run.dryRun) {
      claim = await claimFor(services, execution)
      const { lost } = claim
      lost.addEventListener('abort', () => link.abort(lost.reason as Error), { once: true })
    }
    for (const step of steps[shape]) await step(execution)
  } catch (error) {
    const failure = toFailure(error, { run: run.id })
    if (failure.code === 'STORE_OWNED') state.skipped = { reason: 'store-owned', error: failure }
    else state.runError ??= failure
  }
  // Whatever happened, nothing stays taken.
  await closeWindow(execution)
  const outcome = await observe(execution, clock.monotonic() - began)
  link.close()
  options.signal?.removeEventListener('abort', cancel)
  await claim?.release().catch((error: unknown) => {
    services.log.warn(`the store's owner record could not be freed: ${reasonOf(error)}; it expires by itself`, {
      error,
    })
  })
  removeVars(services, run)
  emit({ type: 'run-ended', run, outcome, status: outcome.status, durationMs: clock.monotonic() - began })
  return outcome
}

async function observe(execution: RunExecution, durationMs: number): Promise<Outcome> {
  const { services, run, state } = execution
  const outcome = outcomeOf(state)
  for (const warning of outcome.warnings) services.emit({ type: 'warning', run, error: recordFailure(warning) })
  // The end is durable before anybody is told of it.
  quietly(services, () => endRun(services, run, outcome, durationMs))
  for (const step of observers) await step(execution)
  const final = outcomeOf(state)
  if (final.warnings.length > outcome.warnings.length) quietly(services, () => endRun(services, run, final, durationMs))
  return final
}

function endRun(services: Services, run: Run, outcome: Outcome, durationMs: number): void {
  services.journal.endRun(run.id, {
    status: outcome.status,
    reason: outcome.reason,
    error: outcome.error && recordFailure(outcome.error),
    warnings: outcome.warnings.map(recordFailure),
    durationMs,
  })
}

/** A run that was cut short: by its budget it has failed, by anything else it was aborted. */
function noteCut(state: RunState, reason: unknown): void {
  const error = toFailure(reason, { run: state.run.id })
  if (error.code === 'RUN_BUDGET') state.runError ??= error
  else
    state.aborted ??=
      error.code === 'RUN_ABORTED' ? error : errors.RUN_ABORTED({ reason: error.message }, { cause: error })
}

async function claimFor(services: Services, execution: RunExecution): Promise<StoreClaim> {
  const { plan, run } = execution
  return claimStore({
    driver: services.store().driver,
    instance: services.config().instance,
    plan: plan.name,
    holder: { stateId: services.journal.stateId(), podUid: services.process.pod, host: services.process.host },
    run: run.id,
    clock: services.clock,
    log: services.log,
  })
}

async function discoverTargets(execution: RunExecution): Promise<void> {
  const { services, plan, run, state, signal } = execution
  if (state.runError || signal.aborted) return
  const scope = new Scope(() => workspaceName(services))
  try {
    const found = await findTargets(
      plan,
      (participant) => checkContext({ services, plan, participant, hook: 'targets', signal, scope }, 'run'),
      execution.only,
    )
    state.targets.push(...found)
    services.emit({ type: 'targets-found', run, targets: found.map(({ target }) => target.id) })
  } catch (error) {
    state.runError ??= toFailure(error, { hook: 'targets', run: run.id })
  } finally {
    await scope.close()
  }
}

async function describeInDryRun(execution: RunExecution): Promise<void> {
  const { services, plan, run, state, signal } = execution
  if (!run.dryRun || state.runError) return
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
function openVars(services: Services, run: Run): Vars {
  const directory = varsDirectoryOf(services.stateDirectory, run.id)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return createVars(directory)
}

/** Variables are kept until the run's undos are done: those that run after a crash read them. */
function removeVars(services: Services, run: Run): void {
  const pending = quietly(services, () => services.journal.pendingUndos().some((undo) => undo.run === run.id))
  if (pending === false) rmSync(varsDirectoryOf(services.stateDirectory, run.id), { recursive: true, force: true })
}

/** Where the variables of a run are. */
export function varsDirectoryOf(stateDirectory: string, run: string): string {
  return join(stateDirectory, 'vars', run)
}

/** Calls the observers of a run that died with its process. */
export async function observeRecovered(
  services: Services,
  plan: ResolvedPlan,
  run: Run,
  outcome: Outcome,
): Promise<void> {
  const state = newRunState(run, plan)
  state.aborted = outcome.error as RunState['aborted']
  const never = new AbortController().signal
  const window = new Scope(() => workspaceName(services))
  const vars = openVars(services, run)
  const execution: RunExecution = { services, plan, run, state, vars, signal: never, window, only: undefined }
  for (const step of observers) await step(execution)
  for (const warning of state.warnings) services.emit({ type: 'warning', run, error: recordFailure(warning) })
  removeVars(services, run)
}
