import type { Alert } from './alert.ts'

/** Of what a backup has taken and has not given back. */
export const heldAlerts: readonly Alert[] = [
  {
    name: 'FilesystemFrozenTooLong',
    severity: 'critical',
    expr: `holdfast_filesystem_frozen == 1
  and on (namespace, pvc_namespace, pvc) time() - holdfast_filesystem_frozen_since_timestamp_seconds > 60`,
    summary: 'The volume {{ $labels.pvc_namespace }}/{{ $labels.pvc }} is frozen',
    description:
      'Everything that writes to it hangs. `holdfast undo run --all` thaws it; so does a restart of the pod.',
  },
  {
    name: 'BackupUndosPending',
    severity: 'critical',
    for: '5m',
    expr: 'sum by (namespace, kind) (holdfast_undos_pending) > 0',
    summary: 'Something that a backup has taken is not given back ({{ $labels.kind }})',
    description:
      'An application may still be frozen, locked or paused. `holdfast undo list` says what it is and why giving it back failed, `holdfast undo run --all` tries it now.',
  },
]
