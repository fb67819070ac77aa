import type { Clock, Meter, RunStatus, RunTrigger } from '@holdfast/sdk'
import type { RunEvent, RunEventListener } from '../lifecycle/events.ts'

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

/** Of boots and restores the plan's times say nothing: a restore is no backup. */
const executions: ReadonlySet<RunTrigger> = new Set(['schedule', 'catch-up', 'manual', 'retry'])

function runCounter(meter: Meter): ReturnType<Meter['counter']> {
  return meter.counter('holdfast_runs_total', 'Runs by how they ended', ['plan', 'result'])
}

/** Begins the counts of plans at 0, so that `increase()` sees the first failure. */
export function announcePlans(meter: Meter, plans: readonly { readonly name: string }[]): void {
  const runs = runCounter(meter)
  for (const { name } of plans) for (const result of statuses) runs.add(0, { plan: name, result })
}

/** Counts a run that ended without an event: its process died. */
export function countRun(meter: Meter, plan: string, result: RunStatus): void {
  runCounter(meter).add(1, { plan, result })
}

/**
 * Turns a run's events into metrics; labels are bounded.
 *
 * @param isMaintenance - whether a plan backs nothing up
 */
export function recordMetrics(
  meter: Meter,
  clock: Pick<Clock, 'now'>,
  isMaintenance: (plan: string) => boolean,
): RunEventListener {
  const runs = runCounter(meter)
  const last = (what: string): ReturnType<Meter['gauge']> =>
    meter.gauge(`holdfast_run_last_${what}_timestamp_seconds`, `When a run last had its ${what}`, ['plan'])
  const gauges = {
    start: last('start'),
    completion: last('completion'),
    success: last('success'),
    failure: last('failure'),
  }
  const duration = meter.histogram('holdfast_run_duration_seconds', 'How long runs took', ['plan'])
  const hookFailures = meter.counter('holdfast_hook_failures_total', 'Failed hook calls', ['phase', 'hook', 'reason'])
  const undoFailures = meter.counter('holdfast_undo_failures_total', 'Undos that did not succeed', ['kind'])

  const ended = (event: Extract<RunEvent, { type: 'run-ended' }>): void => {
    const { run, status, durationMs } = event
    if (run.dryRun) return
    const plan = { plan: run.plan }
    runs.add(1, { ...plan, result: status })
    if (!executions.has(run.trigger)) return
    const now = clock.now().getTime() / 1000
    gauges.completion.set(now, plan)
    if (status === 'skipped') return
    duration.record(durationMs / 1000, plan)
    // A plan that backs nothing up has no backup whose age could matter.
    if (isMaintenance(run.plan)) return
    if (status === 'succeeded') gauges.success.set(now, plan)
    else gauges.failure.set(now, plan)
  }

  return (event) => {
    switch (event.type) {
      case 'run-started':
        if (event.run.dryRun || !executions.has(event.run.trigger)) return
        gauges.start.set(event.at.getTime() / 1000, { plan: event.run.plan })
        return
      case 'run-ended':
        return ended(event)
      case 'hook-ended':
        if (!event.error) return
        hookFailures.add(1, {
          phase: event.hook,
          hook: event.participant,
          reason: failureReasons[event.error.code] ?? 'error',
        })
        return
      case 'undo-settled':
        if (event.result === 'failed') undoFailures.add(1, { kind: event.undo })
        return
      default:
    }
  }
}
