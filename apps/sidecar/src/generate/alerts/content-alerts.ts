import type { Alert } from './alert.ts'

/** Of what is backed up, and where it is. */
export const contentAlerts: readonly Alert[] = [
  {
    name: 'BackupSizeDropped',
    severity: 'warning',
    // Where sizes are compared in the store, only what was found there counts: it ends when somebody accepts the new size.
    expr: `max by (namespace, plan, target) (holdfast_target_backup_suspect) == 1
or
max by (namespace, plan, target) (
  holdfast_target_backup_size_bytes
    < 0.5 * quantile_over_time(0.5, holdfast_target_backup_size_bytes[14d])
)
  unless max by (namespace, plan, target) (holdfast_target_backup_suspect)`,
    summary: 'The newest backup of {{ $labels.target }}, of plan {{ $labels.plan }}, is much smaller than usual',
    description:
      'Something may be missing in it. Those before it are kept, nothing older is pruned until somebody has looked: `holdfast list --plan {{ $labels.plan }}`, then `holdfast accept` if the size is right.',
  },
  {
    name: 'BackupTargetsVanished',
    severity: 'critical',
    expr: 'max by (namespace, plan) (holdfast_targets_selected) == 0',
    summary: 'Plan {{ $labels.plan }} finds nothing to back up',
    description:
      'What it selects is gone, or has other labels: nothing of it is backed up any more. `holdfast plan` says what it looks for.',
  },
  {
    name: 'BackupVersionsInvalid',
    severity: 'critical',
    expr: 'max by (namespace) (holdfast_versions{state="invalid"}) > 0',
    summary: 'Stored versions of volumes are damaged',
    description:
      'They cannot be restored whole. Make a new backup of these volumes soon, and find out what became of the storage.',
  },
  {
    name: 'BackupCopyIncomplete',
    severity: 'warning',
    for: '26h',
    expr: 'max by (namespace, plan, copy) (holdfast_copy_missing_artifacts) > 0',
    summary: 'The copy {{ $labels.copy }} of plan {{ $labels.plan }} has lacked something for more than a day',
    description:
      'The backups themselves are good, in the store. Were it lost, this copy could not stand in for it. `holdfast plan` says what it lacks, `holdfast doctor` whether it can be reached.',
  },
]
