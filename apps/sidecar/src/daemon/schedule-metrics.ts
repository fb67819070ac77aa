import type { Schedule } from '@holdfast/sdk'
import { inSlices, parseCron, type Metrics, type ResolvedPlan, type RuntimeClock } from '@holdfast/runtime'
import { isScheduled } from '../commands/schedule.ts'

/** What {@link recordSchedules} needs. */
export interface RecordSchedulesOptions {
  readonly metrics: Pick<Metrics, 'computed' | 'beforeRead'>
  readonly clock: Pick<RuntimeClock, 'monotonic'>
  /** Those of the configuration in force. */
  plans(): readonly ResolvedPlan[]
  /** When a plan fires next; `undefined`: not by itself. */
  next(plan: string): Date | undefined
  /** Since when a plan has had a schedule. */
  since(plan: string): Date | undefined
}

interface Facts {
  readonly cron: string
  readonly timezone: string
  readonly intervalMs: number
}

/** Metrics that say what the schedules are: worked out when they are read, and each schedule only once. */
export function recordSchedules({ metrics, clock, plans, next, since }: RecordSchedulesOptions): void {
  const known = new WeakMap<Schedule, Facts>()
  const scheduled = (): readonly (ResolvedPlan & { readonly schedule: Schedule })[] => plans().filter(isScheduled)
  metrics.beforeRead(() =>
    inSlices(scheduled(), clock, ({ schedule }) => {
      if (!known.has(schedule)) known.set(schedule, factsOf(schedule))
    }),
  )

  metrics.computed(
    'holdfast_schedule_info',
    'The schedule of a plan',
    ['plan', 'cron', 'timezone', 'overlap_policy', 'misfire_policy'],
    function* () {
      for (const { name: plan, schedule } of scheduled()) {
        const { cron, timezone } = known.get(schedule) ?? factsOf(schedule)
        const { overlap: overlap_policy = 'skip', misfire: misfire_policy = 'skip' } = schedule
        yield { value: 1, labels: { plan, cron, timezone, overlap_policy, misfire_policy } }
      }
    },
  )
  const gauge = (
    name: string,
    help: string,
    valueOf: (plan: ResolvedPlan & { readonly schedule: Schedule }) => number | undefined,
  ): void =>
    metrics.computed(name, help, ['plan'], function* () {
      for (const plan of scheduled()) {
        const value = valueOf(plan)
        if (value !== undefined) yield { value, labels: { plan: plan.name } }
      }
    })

  gauge('holdfast_schedule_paused', 'Whether the plan is paused', ({ schedule }) => (schedule.paused ? 1 : 0))
  gauge('holdfast_schedule_next_run_timestamp_seconds', 'When the plan runs next', ({ name }) => seconds(next(name)))
  // These two say how old a backup may be; a plan that backs nothing up has none.
  gauge('holdfast_schedule_created_timestamp_seconds', 'Since when backups are expected', ({ name, maintenance }) =>
    maintenance ? undefined : seconds(since(name)),
  )
  gauge(
    'holdfast_schedule_expected_interval_seconds',
    'The longest time between two backups, by the schedule',
    ({ schedule, maintenance }) =>
      maintenance ? undefined : (known.get(schedule) ?? factsOf(schedule)).intervalMs / 1000,
  )
}

function factsOf({ cron, timeZone }: Schedule): Facts {
  const { expression, timeZone: timezone, longestGapMs } = parseCron(cron, timeZone)
  return { cron: expression, timezone, intervalMs: longestGapMs }
}

function seconds(at: Date | undefined): number | undefined {
  return at && at.getTime() / 1000
}
