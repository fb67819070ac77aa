import type { Alert } from './alert.ts'

/** Of restore drills. */
export const drillAlerts: readonly Alert[] = [
  {
    name: 'RestoreDrillFailed',
    severity: 'warning',
    expr: `sum by (namespace, drill) (increase(holdfast_restore_drill_runs_total{result=~"failed|aborted"}[1h])) > 0
or
max by (namespace, drill) (holdfast_restore_drill_phase{phase=~"failed|aborted"}) == 1
  and time() - max by (namespace, drill) (holdfast_restore_drill_last_completion_timestamp_seconds) < 3600`,
    summary: 'The restore drill {{ $labels.drill }} failed',
    description:
      'A backup could not be restored, or what came back was not as expected: do not count on it. `holdfast history` says why; `holdfast drill {{ $labels.drill }}` tries it again.',
  },
  {
    name: 'RestoreDrillMissed',
    severity: 'warning',
    expr: 'sum by (namespace, drill) (increase(holdfast_restore_drill_schedule_missed_total{reason=~"down|overlap"}[6h])) > 0',
    summary: 'The restore drill {{ $labels.drill }} was not run when it should have been',
    description:
      'Nothing ran at the time, or the one before it still went on. If the latter is usual, it needs a longer interval.',
  },
  {
    name: 'RestoreDrillStuck',
    severity: 'critical',
    expr: 'time() - max by (namespace, drill) (holdfast_restore_drill_deadline_timestamp_seconds) > 300',
    summary: 'The restore drill {{ $labels.drill }} goes on past its deadline',
    description:
      'It can neither end nor be ended, and what it reads is not pruned meanwhile. A restart of the pod ends it, and cleans up after it.',
  },
]
