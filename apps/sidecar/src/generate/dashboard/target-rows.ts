import { ofNamespaces, ofPlans, type Row } from './panel.ts'

/** What was backed up. */
export const targetRow: Row = {
  title: 'Targets',
  panels: [
    {
      type: 'timeseries',
      title: 'Size of the newest backup',
      description: 'Before encoding. A sudden drop is looked into: nothing older is removed until somebody has.',
      queries: [
        {
          expr: `max by (namespace, plan, target) (holdfast_target_backup_size_bytes{${ofPlans}})`,
          legend: '{{plan}} {{target}}',
        },
      ],
      unit: 'bytes',
      width: 12,
    },
    {
      type: 'timeseries',
      title: 'Age of the last good backup of each target',
      description: 'Only what could be read back counts.',
      queries: [
        {
          expr: `time() - max by (namespace, plan, target) (holdfast_target_last_success_timestamp_seconds{${ofPlans}})`,
          legend: '{{plan}} {{target}}',
        },
      ],
      unit: 's',
      width: 12,
    },
    {
      type: 'timeseries',
      title: 'Targets by what became of them',
      description: 'In each interval of the graph.',
      queries: [
        {
          expr: `sum by (result) (increase(holdfast_target_backups_total{${ofPlans}}[$__rate_interval]))`,
          legend: '{{result}}',
        },
      ],
      width: 8,
    },
    {
      type: 'bargauge',
      title: 'Read back',
      description: 'Backups of targets that could be read back in the time shown, and those that could not.',
      queries: [
        { expr: `sum by (result) (increase(holdfast_verify_runs_total{${ofPlans}}[$__range]))`, legend: '{{result}}' },
      ],
      width: 8,
    },
    {
      type: 'bargauge',
      title: 'Removed, and not removed',
      description: 'What retention has removed in the time shown, and targets of which it could remove nothing.',
      queries: [
        {
          expr: `sum by (reason) (increase(holdfast_retention_deleted_total{${ofNamespaces}}[$__range]))`,
          legend: 'removed: {{reason}}',
        },
        {
          expr: `sum by (reason) (increase(holdfast_retention_blocked_total{${ofNamespaces}}[$__range])) > 0`,
          legend: 'kept: {{reason}}',
        },
      ],
      width: 8,
    },
  ],
}

/** What stands still for it. */
export const heldRow: Row = {
  title: 'What stands still',
  panels: [
    {
      type: 'timeseries',
      title: 'Undos pending',
      description: 'By what takes the effect back.',
      queries: [
        {
          expr: `max by (namespace, kind) (holdfast_undos_pending{${ofNamespaces}})`,
          legend: '{{kind}}',
        },
      ],
      redFrom: 1,
      width: 8,
    },
    {
      type: 'bargauge',
      title: 'Undos that failed, or came after a crash',
      description: 'In the time shown.',
      queries: [
        {
          expr: `sum by (kind) (increase(holdfast_undo_failures_total{${ofNamespaces}}[$__range]))`,
          legend: 'failed: {{kind}}',
        },
        {
          expr: `sum by (kind) (increase(holdfast_undos_recovered_total{${ofNamespaces}}[$__range]))`,
          legend: 'after a crash: {{kind}}',
        },
      ],
      width: 8,
    },
    {
      type: 'timeseries',
      title: 'How long volumes were frozen',
      description: 'Nineteen of twenty times no longer than this.',
      queries: [
        {
          expr: `histogram_quantile(0.95, sum by (le, pvc_namespace, pvc) (increase(holdfast_filesystem_freeze_duration_seconds_bucket{${ofNamespaces}}[$__range])))`,
          legend: '{{pvc_namespace}}/{{pvc}}',
        },
        {
          expr: `time() - max by (pvc_namespace, pvc) (holdfast_filesystem_frozen_since_timestamp_seconds{${ofNamespaces}} > 0)`,
          legend: '{{pvc_namespace}}/{{pvc}}, now',
        },
      ],
      unit: 's',
      width: 8,
    },
  ],
}
