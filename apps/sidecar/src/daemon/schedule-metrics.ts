import type { Schedule } from '@holdfast/sdk'
import { inSlices, parseCron, type Metrics, type RuntimeClock } from '@holdfast/runtime'

/** What has a schedule, or not: a plan, or a drill. */
export interface ScheduleEntry {
  readonly name: string
  readonly schedule: Schedule | undefined
  /** When it last succeeded is of no interest. */
  readonly isAgeless: boolean
}

/** What {@link recordSchedules} needs. */
export interface RecordSchedulesOptions {
  readonly metrics: Pick<Metrics, 'computed' | 'beforeRead'>
  readonly clock: Pick<RuntimeClock, 'monotonic'>
  /** The beginning of every name: `holdfast_schedule`. */
  readonly prefix: string
  /** The label that says whose. */
  readonly label: 'plan' | 'drill'
  /** Those of the configuration in force. */
  entries(): readonly ScheduleEntry[]
  /** When one fires next; `undefined`: not by itself. */
  next(name: string): Date | undefined
  /** Since when somebody has paused one by hand; without it, nobody can. */
  readonly pausedSince?: ((name: string) => Date | undefined) | undefined
  /** Since when one has had a schedule. */
  since(name: string): Date | undefined
}

interface Facts {
  readonly cron: string
  readonly timezone: string
  readonly intervalMs: number
}

type Scheduled = ScheduleEntry & { readonly schedule: Schedule }

/** Metrics that say what the schedules are: worked out when they are read, and each schedule only once. */
export function recordSchedules(options: RecordSchedulesOptions): void {
  const { metrics, clock, prefix, label, entries, next, pausedSince, since } = options
  const known = new WeakMap<Schedule, Facts>()
  const scheduled = (): readonly Scheduled[] =>
    entries().filter((entry): entry is Scheduled => entry.schedule !== undefined)
  metrics.beforeRead(() =>
    inSlices(scheduled(), clock, ({ schedule }) => {
      if (!known.has(schedule)) known.set(schedule, factsOf(schedule))
    }),
  )

  metrics.computed(
    `${prefix}_info`,
    'The schedule',
    [label, 'cron', 'timezone', 'overlap_policy', 'misfire_policy'],
    function* () {
      for (const { name, schedule } of scheduled()) {
        const { cron, timezone } = known.get(schedule) ?? factsOf(schedule)
        const { overlap: overlap_policy = 'skip', misfire: misfire_policy = 'skip' } = schedule
        yield { value: 1, labels: { [label]: name, cron, timezone, overlap_policy, misfire_policy } }
      }
    },
  )
  const gauge = (name: string, help: string, valueOf: (entry: Scheduled) => number | undefined): void =>
    metrics.computed(`${prefix}_${name}`, help, [label], function* () {
      for (const entry of scheduled()) {
        const value = valueOf(entry)
        if (value !== undefined) yield { value, labels: { [label]: entry.name } }
      }
    })

  gauge('paused', 'Whether it is paused, by the configuration or by hand', ({ name, schedule }) =>
    schedule.paused || pausedSince?.(name) ? 1 : 0,
  )
  if (pausedSince) {
    gauge('paused_since_timestamp_seconds', 'Since when it is paused by hand', ({ name }) => seconds(pausedSince(name)))
  }
  gauge('next_run_timestamp_seconds', 'When it runs next', ({ name }) => seconds(next(name)))
  // These two say how old the last success may be.
  gauge('created_timestamp_seconds', 'Since when runs are expected', ({ name, isAgeless }) =>
    isAgeless ? undefined : seconds(since(name)),
  )
  gauge('expected_interval_seconds', 'The longest time between two runs, by the schedule', ({ schedule, isAgeless }) =>
    isAgeless ? undefined : (known.get(schedule) ?? factsOf(schedule)).intervalMs / 1000,
  )
}

function factsOf({ cron, timeZone }: Schedule): Facts {
  const { expression, timeZone: timezone, longestGapMs } = parseCron(cron, timeZone)
  return { cron: expression, timezone, intervalMs: longestGapMs }
}

function seconds(at: Date | undefined): number | undefined {
  return at && at.getTime() / 1000
}
