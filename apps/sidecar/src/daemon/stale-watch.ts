import type { Schedule } from '@holdfast/sdk'
import { drillOfId, inSlices, parseCron, reasonOf, type Engine, type RuntimeClock } from '@holdfast/runtime'
import { scheduledIn } from '../drills.ts'

/** What {@link watchStale} needs. */
export interface WatchStaleOptions {
  readonly engine: Pick<Engine, 'config' | 'journal' | 'notifications' | 'services'>
  readonly clock: RuntimeClock
  /** Whether a plan is paused by hand. */
  isPaused(name: string): boolean
  /** What was before is not known here: another pod led. */
  readonly from?: Date | undefined
}

const pauseMs = 60_000
/** The alerts wait as long after twice the interval: `holdfast.rules.yaml`. */
const graceMs = 10 * 60_000

/**
 * Looks every minute whether a plan or a drill has not succeeded for twice the longest time between two of its slots, and
 * has that told.
 *
 * @returns stops it
 */
export function watchStale({ engine, clock, isPaused, from }: WatchStaleOptions): () => void {
  const { journal, services } = engine
  const allowances = new WeakMap<Schedule, number>()
  /** Good at this time, by what the scheduler calls it; perhaps later, too. */
  const good = new Map<string, Date>()
  let known: { readonly config: object; readonly since: ReadonlyMap<string, Date> } | undefined
  let cancel: (() => void) | undefined
  let isStopped = false

  const allowanceOf = (schedule: Schedule): number => {
    const allowance = allowances.get(schedule) ?? 2 * parseCron(schedule.cron, schedule.timeZone).longestGapMs + graceMs
    allowances.set(schedule, allowance)
    return allowance
  }

  const check = ({ name, schedule }: ReturnType<typeof scheduledIn>[number], since: Date | undefined): void => {
    if (isStopped || schedule.paused || isPaused(name)) return
    const late = clock.now().getTime() - allowanceOf(schedule)
    const begins = Math.max(since?.getTime() ?? clock.now().getTime(), from?.getTime() ?? 0)
    if (begins > late || (good.get(name)?.getTime() ?? 0) > late) return
    const drill = drillOfId(name)
    const last = journal.lastBackup(drill === undefined ? { plan: name } : { drill })
    if (last) good.set(name, last)
    if (last && last.getTime() > late) return
    const plan = drill === undefined ? name : engine.config().drills.find((each) => each.name === drill)?.plan.name
    engine.notifications.stale({ plan: plan ?? name, drill, since: last })
  }

  const look = async (): Promise<void> => {
    const config = engine.config()
    const told = new Set([
      ...config.plans.flatMap(({ name, notify }) => (notify.some(({ on }) => on.has('stale')) ? [name] : [])),
      ...config.drills.flatMap(({ participant: { id }, notify }) =>
        notify.some(({ on }) => on.has('stale')) ? [id] : [],
      ),
    ])
    try {
      const scheduled = scheduledIn(config)
      if (known?.config !== config) known = { config, since: journal.scheduledSince(scheduled.map(({ name }) => name)) }
      const { since } = known
      await inSlices(
        scheduled.filter(({ name }) => told.has(name)),
        clock,
        (each) => check(each, since.get(each.name)),
      )
    } catch (error) {
      services.log.warn(`whether plans are stale can't be told: ${reasonOf(error)}`, { error })
    }
    if (!isStopped) cancel = clock.setTimer(pauseMs, () => void look())
  }
  cancel = clock.setTimer(pauseMs, () => void look())
  return () => {
    isStopped = true
    cancel?.()
  }
}
