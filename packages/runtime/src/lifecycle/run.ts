// The lifecycle's one runner. The policy table says when each hook runs and what its failure means; there is one code
// path per kind of hook here and none per hook.
import {
  parseDuration,
  type HoldfastError,
  type HookKind,
  type HookName,
  type HookPolicy,
  type Outcome,
  type Run,
  type Vars,
} from '@holdfast/sdk'

import { recordFailure, toFailure, type FailureContext } from '../failure.ts'
import { quietly } from '../journal/quietly.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { createBegunWork } from './begun-work.ts'
import { callWithDeadline } from './call.ts'
import { TargetSkipped } from './contexts.ts'
import type { RunCallSite } from './service-context.ts'
import { handlersFor, type HandlerCall } from './handlers.ts'
import { hasFailed, noteFailure, outcomeOf, targetOutcomeOf, type RunState, type TargetState } from './outcome.ts'
import { lifecyclePolicy } from './policy.ts'
import { Scope } from './scope.ts'

/** A run under way, and all that its steps share. */
export interface RunExecution {
  readonly services: Services
  readonly plan: ResolvedPlan
  readonly run: Run
  readonly state: RunState
  readonly vars: Vars
  readonly startedAt: Date
  /** The same as milliseconds of the clock that never jumps. */
  readonly began: number
  /** Aborts at the budget's end, on cancel and on shutdown. */
  readonly signal: AbortSignal
  /** What `beforeBackups` has taken; given back as soon as the last backup settles. */
  readonly window: Scope
  /** Observers that an earlier process has called; see {@link observerKey}. */
  readonly called?: ReadonlySet<string> | undefined
  /** Target ids asked for by the user. */
  readonly only: readonly string[] | undefined
}

/** Runs one hook of a run, if the policy says so. */
export async function runHook(execution: RunExecution, hook: HookName): Promise<void> {
  const policy: HookPolicy<HookKind> = lifecyclePolicy[hook]
  if (!applies(execution, policy)) return
  switch (policy.kind) {
    case 'series':
      return inSeries(execution, hook, policy)
    case 'parallel':
      return inParallel(execution, hook, policy)
    case 'targets':
      return perTarget(execution, hook, policy)
    case 'observe':
      return observing(execution, hook, policy)
  }
}

function applies({ state, signal, run, plan }: RunExecution, policy: HookPolicy<HookKind>): boolean {
  if (hasFailed(state) && !policy.afterRunFailure) return false
  if (policy.signal === 'run' && signal.aborted) return false
  if (run.dryRun && policy.inDryRun !== 'run') return policy.inDryRun === 'print' && !hasFailed(state)
  switch (policy.when) {
    case 'boot':
      return run.trigger === 'boot'
    case 'always':
      return true
    case 'has-targets':
      return state.targets.length > 0
    case 'some-target-succeeded':
    case 'target-succeeded':
    case 'target-verified':
      return state.targets.some(({ status }) => status === 'succeeded')
    case 'work-done':
      return plan.maintenance || state.targets.some(({ status }) => status === 'succeeded')
    case 'not-succeeded':
      return !['succeeded', 'skipped'].includes(outcomeOf(state).status)
  }
}

async function inSeries(execution: RunExecution, hook: HookName, policy: HookPolicy<HookKind>): Promise<void> {
  for (const call of handlersFor(execution, hook)) {
    const { error } = await callHandler(execution, policy, call)
    if (!error) continue
    fail(execution.state, policy, error)
    if (policy.stop === 'first-failure') return
  }
}

async function inParallel(execution: RunExecution, hook: HookName, policy: HookPolicy<HookKind>): Promise<void> {
  const results = await Promise.all(handlersFor(execution, hook).map((call) => callHandler(execution, policy, call)))
  for (const { error } of results) if (error) fail(execution.state, policy, error)
}

async function perTarget(execution: RunExecution, hook: HookName, policy: HookPolicy<HookKind>): Promise<void> {
  const { state, plan, signal } = execution
  const waiting = state.targets.filter((target) => concerns(policy, target, execution.run.dryRun))
  const worker = async (): Promise<void> => {
    for (let target = waiting.shift(); target; target = waiting.shift()) {
      if (signal.aborted) return
      for (const call of handlersFor(execution, hook, target)) {
        const { error, skipped } = await callHandler(execution, policy, call)
        if (error) fail(state, policy, error, target)
        else if (skipped === undefined) call.onSuccess?.()
        else if (policy.onFailure === 'fail-target') skipTarget(target, skipped)
        if (error || target.status === 'skipped') break
      }
      settleTarget(execution, policy, target)
    }
  }
  await Promise.all(Array.from({ length: Math.min(plan.concurrency, waiting.length) }, worker))
}

async function observing(execution: RunExecution, hook: HookName, policy: HookPolicy<HookKind>): Promise<void> {
  // The outcome is fixed: what happens to an observer changes nothing.
  const outcome: Outcome = outcomeOf(execution.state)
  for (const call of handlersFor(execution, hook, undefined, outcome)) {
    // The next start calls those that there is no time for.
    if (execution.services.shutdown.hurried.aborted) return
    if (execution.called?.has(observerKey(call))) continue
    const { error } = await callHandler(execution, policy, call)
    if (error) fail(execution.state, policy, error)
  }
}

/** Names a call of an observer within its run. */
export function observerKey({ hook, participant }: { hook: string; participant: string | { id: string } }): string {
  return `${hook} ${typeof participant === 'string' ? participant : participant.id}`
}

function concerns(policy: HookPolicy<HookKind>, target: TargetState, dryRun: boolean): boolean {
  if (dryRun) return policy.inDryRun === 'print'
  switch (policy.when) {
    case 'target-succeeded':
      return target.status === 'succeeded'
    case 'target-verified':
      return isPrunable(target)
    default:
      return target.status === 'pending'
  }
}

/** Nothing is pruned on the strength of a point that asks for a look. */
export function isPrunable({ status, verification, points }: TargetState): boolean {
  return status === 'succeeded' && verification === 'verified' && points.every((point) => point.state === 'valid')
}

/** A pending target whose handlers are through has been backed up. */
function settleTarget(
  { services, run, signal }: RunExecution,
  policy: HookPolicy<HookKind>,
  target: TargetState,
): void {
  if (policy.onFailure !== 'fail-target') return
  if (target.status === 'pending') target.status = signal.aborted ? 'aborted' : 'succeeded'
  services.emit({ type: 'target-ended', run, outcome: targetOutcomeOf(target) })
}

function skipTarget(target: TargetState, reason: string): void {
  target.status = 'skipped'
  target.reason = reason
}

/** Applies a failure as the policy says. The first error is primary; later ones are attached, never replace it. */
function fail(state: RunState, policy: HookPolicy<HookKind>, error: HoldfastError, target?: TargetState): void {
  switch (policy.onFailure) {
    case 'stop-boot':
    case 'fail-run':
      noteFailure(state, error)
      return
    case 'fail-target':
      if (target) {
        target.status = error.code === 'RUN_ABORTED' ? 'aborted' : 'failed'
        target.error ??= error
      }
      return
    case 'unverify-target':
      if (target) {
        target.verification = 'unverified'
        if (target.error) state.warnings.push(error)
        else target.error = error
      }
      return
    case 'warn':
      state.warnings.push(error)
  }
}

/** How a call of a handler ended; `skipped` has the reason that it gave to `ctx.skip`. */
interface CallResult {
  readonly error: HoldfastError | undefined
  readonly skipped: string | undefined
  /** Whether something it took is still taken. */
  readonly stuck: boolean
}

/** Calls one handler, with its retries. What it took is given back before it counts as settled. */
async function callHandler(
  execution: RunExecution,
  policy: HookPolicy<HookKind>,
  call: HandlerCall,
): Promise<CallResult> {
  const { services } = execution
  const { attempts, backoffMs } = call.resolved.retry
  const signal = policy.signal === 'reserve' ? services.shutdown.requested : execution.signal
  for (let attempt = 1; ; attempt++) {
    const result = await callOnce(execution, policy, call, attempt)
    if (!result.error || result.stuck || attempt >= attempts || signal.aborted) return result
    await services.clock.sleep(backoffMs, signal).catch(() => {})
    if (signal.aborted) return result
    if (call.target && policy.onFailure === 'fail-target') {
      call.target.leftBehind.push(...call.target.points.splice(0))
    }
  }
}

async function callOnce(
  execution: RunExecution,
  policy: HookPolicy<HookKind>,
  call: HandlerCall,
  attempt: number,
): Promise<CallResult> {
  const { services, run } = execution
  const { hook, participant, resolved, target } = call
  const { clock, journal, emit } = services
  const site = { run, hook, participant: participant.id, target: target?.target.id, attempt }
  const context: FailureContext = { plugin: participant.id, hook, target: target?.target.id, run: run.id }
  const scope = new Scope(services)
  const began = clock.monotonic()
  const row = quietly(services, () => journal.hookStarted(run.id, hook, participant.id, site.target, attempt))
  emit({ type: 'hook-started', ...site })
  let error: HoldfastError | undefined
  let skipped: string | undefined
  try {
    await callWithDeadline((signal) => call.invoke(callSite(execution, call, { signal, scope, context })), {
      clock,
      where: `${hook} of "${participant.id}"${target ? ` for "${target.target.id}"` : ''}`,
      timeoutMs: resolved.timeoutMs ?? parseDuration(policy.timeout),
      parents:
        policy.signal === 'reserve' ? [services.shutdown.hurried, services.shutdown.expired] : [execution.signal],
      hurried: services.shutdown.abandoned,
    })
  } catch (thrown) {
    if (thrown instanceof TargetSkipped && target) skipped = thrown.message
    else error = toFailure(thrown, context)
  }
  if (!error && call.keepsOpen) execution.window.adopt(scope)
  const failures = await scope.close()
  for (const failure of failures) {
    const located = toFailure(failure, context)
    if (error) execution.state.warnings.push(located)
    else error = located
  }
  const durationMs = clock.monotonic() - began
  const record = error && recordFailure(error)
  quietly(services, () => row !== undefined && journal.hookEnded(row, durationMs, record))
  emit({ type: 'hook-ended', ...site, durationMs, error: record })
  return { error, skipped, stuck: failures.length > 0 }
}

function callSite(
  execution: RunExecution,
  call: HandlerCall,
  { signal, scope, context }: { readonly signal: AbortSignal; readonly scope: Scope; readonly context: FailureContext },
): RunCallSite {
  const { services, plan, run, vars, startedAt, state } = execution
  return {
    services,
    plan,
    run,
    vars,
    startedAt,
    participant: call.participant,
    hook: call.hook,
    signal,
    scope,
    target: call.target?.target,
    begun: createBegunWork(services, {
      signal,
      scope,
      warn: (failure) => void state.warnings.push(toFailure(failure, context)),
    }),
  }
}

/** Gives back what `beforeBackups` took. What can't be given back makes the run a failure. */
export async function closeWindow(execution: RunExecution): Promise<void> {
  const { state, run, window } = execution
  for (const failure of await window.close()) noteFailure(state, toFailure(failure, { run: run.id }))
}
