import { ofNamespaces, ofPlans, type Row } from './panel.ts'

const lastSuccess = `max by (namespace, plan) (holdfast_run_last_success_timestamp_seconds{${ofPlans}})`
const interval = `max by (namespace, plan) (holdfast_schedule_expected_interval_seconds{${ofPlans}})`

/** How plans stand. */
export const planRow: Row = {
  title: 'Plans',
  panels: [
    {
      type: 'stat',
      title: 'Plans that make backups',
      description: 'Maintenance plans are not among them.',
      queries: [
        {
          expr: `count(max by (namespace, plan) (holdfast_plan_info{kind="backup",${ofPlans}})) or vector(0)`,
          legend: 'plans',
        },
      ],
      width: 4,
    },
    {
      type: 'stat',
      title: 'Too old',
      description: 'Plans whose last success is older than two intervals of their schedule, paused ones left out.',
      queries: [
        {
          expr: `count(time() - ${lastSuccess} > 2 * ${interval} unless max by (namespace, plan) (holdfast_schedule_paused{${ofPlans}}) == 1) or vector(0)`,
          legend: 'too old',
        },
      ],
      redFrom: 1,
      width: 4,
    },
    {
      type: 'stat',
      title: 'Never succeeded',
      description: 'Scheduled plans that make backups and have not made one yet.',
      queries: [{ expr: `count(${interval} unless ${lastSuccess}) or vector(0)`, legend: 'never' }],
      redFrom: 1,
      width: 4,
    },
    {
      type: 'stat',
      title: 'Running now',
      description: 'Plans that are being run.',
      queries: [
        {
          expr: `sum(max by (namespace, plan) (holdfast_run_phase{phase="running",${ofPlans}})) or vector(0)`,
          legend: 'running',
        },
      ],
      width: 4,
    },
    {
      type: 'stat',
      title: 'Undos pending',
      description: 'What was frozen, locked or paused and has not been given back. Anything but 0 needs somebody.',
      queries: [
        {
          expr: `sum(max by (namespace, kind) (holdfast_undos_pending{${ofNamespaces}})) or vector(0)`,
          legend: 'undos',
        },
      ],
      redFrom: 1,
      width: 4,
    },
    {
      type: 'stat',
      title: 'Frozen now',
      description: 'File systems that stand still for a snapshot: for seconds at most.',
      queries: [
        {
          expr: `sum(max by (namespace, pvc_namespace, pvc) (holdfast_filesystem_frozen{${ofNamespaces}})) or vector(0)`,
          legend: 'frozen',
        },
      ],
      redFrom: 1,
      width: 4,
    },
    {
      type: 'table',
      title: 'Plans',
      description: 'The age of the last success, the longest time between two runs, and the time until the next one.',
      queries: [
        { expr: `time() - ${lastSuccess}`, legend: 'age' },
        { expr: interval, legend: 'interval' },
        {
          expr: `max by (namespace, plan) (holdfast_schedule_next_run_timestamp_seconds{${ofPlans}}) - time()`,
          legend: 'next',
        },
      ],
      columns: { 'Value #A': 'Last success', 'Value #B': 'Interval', 'Value #C': 'Next run in' },
      unit: 's',
      width: 12,
    },
    {
      type: 'timeseries',
      title: 'Age of the last success',
      description: 'It grows until the next success. A saw with even teeth is as it should be.',
      queries: [{ expr: `time() - ${lastSuccess}`, legend: '{{plan}}' }],
      unit: 's',
      width: 12,
    },
  ],
}

/** How runs went. */
export const runRow: Row = {
  title: 'Runs',
  panels: [
    {
      type: 'timeseries',
      title: 'Runs by how they ended',
      description: 'In each interval of the graph.',
      queries: [
        { expr: `sum by (result) (increase(holdfast_runs_total{${ofPlans}}[$__rate_interval]))`, legend: '{{result}}' },
      ],
      width: 12,
    },
    {
      type: 'timeseries',
      title: 'How long runs take',
      description: 'Nineteen of twenty take no longer. Those that come near the interval of their schedule miss slots.',
      queries: [
        {
          expr: `histogram_quantile(0.95, sum by (le, namespace, plan) (increase(holdfast_run_duration_seconds_bucket{${ofPlans}}[$__range])))`,
          legend: '{{plan}}',
        },
      ],
      unit: 's',
      width: 12,
    },
    {
      type: 'bargauge',
      title: 'Where the time goes',
      description: 'The ten hooks that took longest together, in the time shown.',
      queries: [
        {
          expr: `topk(10, sum by (phase, hook) (increase(holdfast_hook_duration_seconds_sum{${ofNamespaces}}[$__range])))`,
          legend: '{{phase}} {{hook}}',
        },
      ],
      unit: 's',
      width: 8,
    },
    {
      type: 'bargauge',
      title: 'Failed hooks',
      description: 'In the time shown, by why.',
      queries: [
        {
          expr: `sum by (phase, hook, reason) (increase(holdfast_hook_failures_total{${ofNamespaces}}[$__range])) > 0`,
          legend: '{{phase}} {{hook}}: {{reason}}',
        },
      ],
      redFrom: 1,
      width: 8,
    },
    {
      type: 'bargauge',
      title: 'Missed slots',
      description:
        'In the time shown: nothing ran (down), the run before went on (overlap), paused, or the clocks changed.',
      queries: [
        {
          expr: `sum by (plan, reason) (increase(holdfast_schedule_missed_total{${ofPlans}}[$__range])) > 0`,
          legend: '{{plan}}: {{reason}}',
        },
      ],
      redFrom: 1,
      width: 8,
    },
  ],
}
