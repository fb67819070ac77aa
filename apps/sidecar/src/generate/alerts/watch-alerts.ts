import type { Alert } from './alert.ts'

/** Of Holdfast itself, and of those who watch it. */
export const watchAlerts: readonly Alert[] = [
  {
    name: 'BackupSidecarDown',
    severity: 'critical',
    for: '15m',
    expr: 'up{job="holdfast"} == 0 or absent(up{job="holdfast"})',
    summary: "Holdfast does not run, or can't be scraped",
    description: 'If it does not run, nothing is backed up. Look at its pod first, then at the monitor that finds it.',
  },
  {
    name: 'BackupConfigurationInvalid',
    severity: 'warning',
    for: '15m',
    expr: 'min by (namespace) (holdfast_configuration_valid) == 0',
    summary: "The newest configuration of Holdfast can't be used",
    description:
      'Backups go on by the one before it: what was changed since then is not in force. `holdfast validate` says what is wrong.',
  },
  {
    name: 'BackupStateFailing',
    severity: 'warning',
    expr: 'sum by (namespace, op) (increase(holdfast_state_store_errors_total[1h])) > 0',
    summary: "The state directory of Holdfast can't be used ({{ $labels.op }})",
    description:
      "What can't be written down is not frozen, locked or paused, so backups that need it fail. Look for a full disk; `holdfast doctor` tries it.",
  },
  {
    name: 'BackupNotificationsFailing',
    severity: 'warning',
    expr: 'sum by (namespace, sink) (increase(holdfast_notify_failures_total[1h])) > 0',
    summary: "Notifications by {{ $labels.sink }} don't arrive",
    description: 'Backups are not affected, but nobody is told by it when one fails. The log of Holdfast says why.',
  },
  {
    name: 'BackupMetricsPushFailing',
    severity: 'warning',
    expr: 'sum by (namespace) (increase(holdfast_push_failures_total[1h])) > 3',
    summary: "Metrics can't be pushed",
    description:
      'Backups run, but what the Pushgateway shows is old: alerts that rely on it are wrong in both directions.',
  },
  {
    name: 'BackupMetricsPushRejected',
    severity: 'warning',
    expr: 'push_failure_time_seconds{job="holdfast"} > push_time_seconds{job="holdfast"}',
    summary: 'The Pushgateway rejects metrics',
    description: 'Backups run, but what the Pushgateway shows is old. Its log says what it does not like.',
  },
]
