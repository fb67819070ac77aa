import type { Alert } from './alert.ts'
import {
  grouped,
  interval,
  isTooOld,
  lastSuccess,
  neverSucceeded,
  ofDrills,
  ofPlans,
  unlessPaused,
} from './expressions.ts'

/** Of a drill without a schedule. */
const olderThanTwoWeeks = `time() - ${lastSuccess(ofDrills)} > 14 * 86400\n  unless ${interval(ofDrills)}`

/** Of the age of backups and of restore drills, by what the metrics say of their schedules. */
export const ageAlerts: readonly Alert[] = [
  {
    name: 'BackupTooOld',
    severity: 'critical',
    for: '10m',
    expr: `${isTooOld(ofPlans)}\n${unlessPaused(ofPlans)}`,
    summary: 'The last good backup of plan {{ $labels.plan }} is {{ $value | humanizeDuration }} old',
    description:
      'Two runs in a row at least did not succeed, or did not happen. What changed since then would be lost. `holdfast history` says what became of them, `holdfast doctor` what stands in the way.',
  },
  {
    name: 'BackupNeverSucceeded',
    severity: 'critical',
    for: '10m',
    expr: neverSucceeded(ofPlans),
    summary: 'Plan {{ $labels.plan }} has never made a backup',
    description:
      'It is scheduled, and no run has succeeded yet: there is nothing to restore from. `holdfast history` says why.',
  },
  {
    name: 'RestoreDrillStale',
    severity: 'critical',
    for: '10m',
    expr: `${grouped(`${isTooOld(ofDrills)}\nor\n${olderThanTwoWeeks}`)}\n${unlessPaused(ofDrills)}`,
    summary: 'The restore drill {{ $labels.drill }} has not succeeded for {{ $value | humanizeDuration }}',
    description:
      'Nobody knows whether the newest backups can be restored. `holdfast history --drill {{ $labels.drill }}` says what became of it, `holdfast doctor` what stands in the way.',
  },
  {
    name: 'RestoreDrillNeverSucceeded',
    severity: 'critical',
    for: '10m',
    expr: neverSucceeded(ofDrills),
    summary: 'The restore drill {{ $labels.drill }} has never succeeded',
    description:
      'It is scheduled, and no backup has been restored by it yet. `holdfast history --drill {{ $labels.drill }}` says why.',
  },
]
