import { ofNamespaces, ofPlans, type Row } from './panel.ts'

/** Copies and restore drills. */
export const proofRow: Row = {
  title: 'Copies and drills',
  panels: [
    {
      type: 'timeseries',
      title: 'What copies lack',
      description: 'Artifacts that are in the store and not in the copy.',
      queries: [
        {
          expr: `max by (namespace, plan, copy) (holdfast_copy_missing_artifacts{${ofPlans}})`,
          legend: '{{plan}} {{copy}}',
        },
      ],
      redFrom: 1,
      width: 6,
    },
    {
      type: 'timeseries',
      title: 'Age of copies',
      description: 'Since a run last left nothing out.',
      queries: [
        {
          expr: `time() - max by (namespace, plan, copy) (holdfast_copy_last_success_timestamp_seconds{${ofPlans}})`,
          legend: '{{plan}} {{copy}}',
        },
      ],
      unit: 's',
      width: 6,
    },
    {
      type: 'timeseries',
      title: 'Age of the last good restore drill',
      description: 'Since a backup was last restored, and was as expected.',
      queries: [
        {
          expr: `time() - max by (namespace, drill) (holdfast_restore_drill_last_success_timestamp_seconds{${ofNamespaces}})`,
          legend: '{{drill}}',
        },
      ],
      unit: 's',
      width: 6,
    },
    {
      type: 'bargauge',
      title: 'Restore drills by how they ended',
      description: 'In the time shown.',
      queries: [
        {
          expr: `sum by (drill, result) (increase(holdfast_restore_drill_runs_total{${ofNamespaces}}[$__range])) > 0`,
          legend: '{{drill}}: {{result}}',
        },
      ],
      width: 6,
    },
  ],
}

/** Holdfast itself. */
export const selfRow: Row = {
  title: 'Holdfast itself',
  panels: [
    {
      type: 'timeseries',
      title: 'Up, and with a configuration that can be used',
      description: '0: it can not be scraped, or the newest configuration is wrong.',
      queries: [
        { expr: `min by (namespace) (up{job="holdfast",${ofNamespaces}})`, legend: 'up {{namespace}}' },
        {
          expr: `min by (namespace) (holdfast_configuration_valid{${ofNamespaces}})`,
          legend: 'configuration {{namespace}}',
        },
      ],
      width: 8,
    },
    {
      type: 'bargauge',
      title: 'Versions',
      description: 'Processes of each.',
      queries: [{ expr: `count by (version) (holdfast_build_info{${ofNamespaces}})`, legend: '{{version}}' }],
      width: 8,
    },
    {
      type: 'bargauge',
      title: 'Could not be written, sent or pushed',
      description: 'In the time shown: the state directory, notifications, metrics. No backup fails for the last two.',
      queries: [
        {
          expr: `sum by (op) (increase(holdfast_state_store_errors_total{${ofNamespaces}}[$__range]))`,
          legend: 'state: {{op}}',
        },
        {
          expr: `sum by (sink) (increase(holdfast_notify_failures_total{${ofNamespaces}}[$__range]))`,
          legend: 'notifications: {{sink}}',
        },
        {
          expr: `sum by (sink) (increase(holdfast_push_failures_total{${ofNamespaces}}[$__range]))`,
          legend: 'pushes: {{sink}}',
        },
      ],
      redFrom: 1,
      width: 8,
    },
  ],
}
