import type { HookName, Meter, Run, RunStatus } from '@holdfast/sdk'
import type { RunEventListener } from '../lifecycle/events.ts'
import type { ResolvedDrill, ResolvedPlan } from '../load/resolved.ts'
import { announceDrills, countDrill } from './drill-metrics.ts'
import type { Metrics } from './metrics.ts'
import { isExecution } from './plan-state.ts'
import { announceTargets, countTargets } from './target-metrics.ts'

const statuses: readonly RunStatus[] = ['succeeded', 'partial', 'failed', 'skipped', 'aborted']
/** The reason labels of failed hooks; any other code counts as `error`. */
const failureReasons: Readonly<Record<string, string>> = {
  EXEC_FAILED: 'exit',
  SCRIPT_FAILED: 'exit',
  HOOK_TIMEOUT: 'timeout',
  EXEC_TIMEOUT: 'timeout',
  EXEC_IDLE: 'timeout',
  EXEC_SIGNAL: 'signal',
  EXEC_LOST: 'exec_lost',
  EXEC_NOT_FOUND: 'spawn',
  EXEC_NOT_EXECUTABLE: 'spawn',
  EXEC_FORMAT: 'spawn',
}
const reasons: ReadonlySet<string> = new Set([...Object.values(failureReasons), 'error'])

function runCounter(meter: Meter): ReturnType<Meter['counter']> {
  return meter.counter('holdfast_runs_total', 'Runs by how they ended', ['plan', 'result'])
}

function hookFailureCounter(meter: Meter): ReturnType<Meter['counter']> {
  return meter.counter('holdfast_hook_failures_total', 'Failed hook calls', ['phase', 'hook', 'reason'])
}

function undoFailureCounter(meter: Meter): ReturnType<Meter['counter']> {
  return meter.counter('holdfast_undo_failures_total', 'Undos that did not succeed', ['kind'])
}

function runDuration(metrics: Pick<Metrics, 'histogram'>): ReturnType<Metrics['histogram']> {
  return metrics.histogram('holdfast_run_duration_seconds', 'How long runs took', ['plan'])
}

function hookDuration(metrics: Pick<Metrics, 'histogram'>): ReturnType<Metrics['histogram']> {
  return metrics.histogram('holdfast_hook_duration_seconds', 'How long hook calls took', ['phase', 'hook'])
}

/** Begins all counts of plans and drills at 0, so that `increase()` sees the first failure. */
export function announcePlans(
  meter: Pick<Metrics, keyof Meter>,
  plans: readonly Pick<ResolvedPlan, 'name' | 'participants' | 'maintenance'>[],
  drills: readonly Pick<ResolvedDrill, 'name' | 'participant'>[] = [],
): void {
  const runs = runCounter(meter)
  const durations = runDuration(meter)
  const hookDurations = hookDuration(meter)
  const hookFailures = hookFailureCounter(meter)
  const undoFailures = undoFailureCounter(meter)
  const recovered = meter.counter('holdfast_undos_recovered_total', 'Undos run for a process that was gone', ['kind'])
  const artifacts = meter.counter('holdfast_artifacts_total', 'Artifacts by how they were stored', ['plan', 'result'])
  // A thousand plans may use the same hook.
  const hooks = new Map<string, { readonly phase: string; readonly hook: string }>()
  for (const { name, participants, maintenance } of plans) {
    for (const result of statuses) runs.add(0, { plan: name, result })
    durations.begin({ plan: name })
    for (const result of maintenance ? [] : ['valid', 'suspect', 'failed']) artifacts.add(0, { plan: name, result })
    for (const participant of participants) {
      for (const phase of Object.keys(participant.hooks) as HookName[]) {
        hooks.set(`${phase} ${participant.id}`, { phase, hook: participant.id })
      }
    }
  }
  for (const { participant } of drills) hooks.set(`expect ${participant.id}`, { phase: 'expect', hook: participant.id })
  announceTargets(meter, plans)
  announceDrills(meter, drills)
  for (const labels of hooks.values()) {
    hookDurations.begin(labels)
    for (const reason of reasons) hookFailures.add(0, { ...labels, reason })
  }
  for (const kind of undosOf(plans, drills)) {
    undoFailures.add(0, { kind })
    recovered.add(0, { kind })
  }
  const expired = meter.counter('holdfast_retention_deleted_total', 'Restore points removed by retention', ['reason'])
  for (const reason of ['expired', 'expired_copy']) expired.add(0, { reason })
  const stateErrors = meter.counter('holdfast_state_store_errors_total', 'Failures of the state directory', ['op'])
  for (const op of ['read', 'write', 'corrupt']) stateErrors.add(0, { op })
}

/** The names of the undos that these plans and drills may arm. */
export function undosOf(
  plans: readonly Pick<ResolvedPlan, 'participants'>[],
  drills: readonly Pick<ResolvedDrill, 'participant'>[] = [],
): readonly string[] {
  const participants = [...plans.flatMap((plan) => plan.participants), ...drills.map(({ participant }) => participant)]
  return [...new Set(participants.flatMap(({ undos }) => [...undos.keys()]))]
}

/** Counts a run that ended without an event: its process died. */
export function countRun(meter: Meter, { plan, drill }: Pick<Run, 'plan' | 'drill'>, result: RunStatus): void {
  if (drill === undefined) runCounter(meter).add(1, { plan, result })
  else countDrill(meter, drill, result)
}

/** Counts what happens in runs; labels are bounded. */
export function recordMetrics(meter: Pick<Metrics, keyof Meter>): RunEventListener {
  const runs = runCounter(meter)
  const durations = runDuration(meter)
  const hookDurations = hookDuration(meter)
  const hookFailures = hookFailureCounter(meter)
  const undoFailures = undoFailureCounter(meter)

  return (event) => {
    switch (event.type) {
      case 'run-ended': {
        const { run, status, durationMs } = event
        // Drills have metrics of their own.
        if (run.dryRun || run.drill !== undefined) return
        runs.add(1, { plan: run.plan, result: status })
        countTargets(meter, event)
        if (isExecution(run) && status !== 'skipped') durations.record(durationMs / 1000, { plan: run.plan })
        return
      }
      case 'hook-ended': {
        const labels = { phase: event.hook, hook: event.participant }
        hookDurations.record(event.durationMs / 1000, labels)
        if (event.error) hookFailures.add(1, { ...labels, reason: failureReasons[event.error.code] ?? 'error' })
        return
      }
      case 'undo-settled':
        if (event.result === 'failed') undoFailures.add(1, { kind: event.undo })
        return
      default:
    }
  }
}
