import type { Alert } from './alert.ts'
import { each, endedAs, grouped, isStuck, missedSlots, ofPlans } from './expressions.ts'

const failed = grouped(endedAs(ofPlans, 'failed|aborted'))
const maintenance = each(ofPlans, 'holdfast_plan_info{kind="maintenance"}')

/** Of runs of plans. */
export const runAlerts: readonly Alert[] = [
  {
    name: 'BackupFailed',
    severity: 'warning',
    expr: `${failed}\nunless ${maintenance}`,
    summary: 'A run of plan {{ $labels.plan }} failed',
    description:
      'It made no new backup, or not all of one. The earlier ones are untouched. `holdfast history` says why.',
  },
  {
    name: 'BackupPartiallyFailed',
    severity: 'warning',
    expr: grouped(endedAs(ofPlans, 'partial')),
    summary: 'A run of plan {{ $labels.plan }} succeeded in part only',
    description:
      'Some targets failed, what was stored of them could not be verified or is much smaller than usual, or a copy lacks something. `holdfast history` says which. Nothing of theirs was pruned.',
  },
  {
    name: 'MaintenanceFailed',
    severity: 'warning',
    expr: `${failed}\nand ${maintenance}`,
    summary: 'A run of maintenance plan {{ $labels.plan }} failed',
    description:
      'No backup is missing for it: it makes none. What it should have tidied up or checked is left as it was. `holdfast history` says why.',
  },
  {
    name: 'BackupScheduleMissed',
    severity: 'warning',
    expr: missedSlots(ofPlans),
    summary: 'Plan {{ $labels.plan }} was not run when it should have been',
    description:
      'Nothing ran at the time, or the run before it still went on. If the latter is usual, the plan needs a longer interval.',
  },
  {
    name: 'BackupPausedByHand',
    severity: 'warning',
    expr: `time() - ${each(ofPlans, 'holdfast_schedule_paused_since_timestamp_seconds')} > 86400`,
    summary: 'Plan {{ $labels.plan }} has been paused by hand for {{ $value | humanizeDuration }}',
    description:
      'It makes no backups, and while it is paused nothing says that the last one gets old. `holdfast resume {{ $labels.plan }}` lets it run by its schedule again; a pause that is to last belongs into the configuration.',
  },
  {
    name: 'BackupRunStuck',
    severity: 'critical',
    expr: isStuck(ofPlans),
    summary: 'A run of plan {{ $labels.plan }} goes on past its deadline',
    description:
      'It can neither end nor be ended, and no other run of the plan begins. Something that it holds may stand still: `holdfast undo list`. A restart of the pod gives it back.',
  },
]
