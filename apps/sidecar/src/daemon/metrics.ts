import {
  drillId,
  drillOfId,
  reasonOf,
  type Engine,
  type Metrics,
  type MissedSlot,
  type ResolvedConfig,
  type RuntimeClock,
} from '@holdfast/runtime'
import { scheduledIn } from '../drills.ts'
import { version } from '../version.ts'
import { recordSchedules } from './schedule-metrics.ts'

/** What {@link createDaemonMetrics} needs. */
export interface CreateDaemonMetricsOptions {
  readonly metrics: Metrics
  readonly engine: Pick<Engine, 'config' | 'journal' | 'services'>
  readonly clock: Pick<RuntimeClock, 'monotonic'>
  /** When a plan or a drill fires next, by what the scheduler calls it. */
  next(name: string): Date | undefined
  /** Since when somebody has paused a plan by hand. */
  pausedSince(plan: string): Date | undefined
}

/** The metrics that only a daemon has. Names are those of the scheduler: of plans, and the ids of drills. */
export interface DaemonMetrics {
  missed(name: string, reason: MissedSlot['reason'], count: number): void
  /** A configuration came into force: series of plans that are gone end, and those of new ones begin. */
  configured(config: ResolvedConfig, before?: ResolvedConfig): void
  /** Whether the newest configuration can be used. */
  valid(isValid: boolean): void
  /** A run has ended: what it means for the last success is in the journal. */
  ended(name: string): void
  /** Looks whether runs of other processes, such as `holdfast run`, have ended meanwhile. */
  look(): void
  /** Of whatever process. */
  lastSuccess(name: string): Date | undefined
}

const reasons: readonly MissedSlot['reason'][] = ['down', 'overlap', 'paused', 'dst_gap', 'clock']

/** Registers them. */
export function createDaemonMetrics({
  metrics,
  engine,
  clock,
  next,
  pausedSince,
}: CreateDaemonMetricsOptions): DaemonMetrics {
  const { journal, services } = engine
  const missed = metrics.counter('holdfast_schedule_missed_total', 'Slots that were not run', ['plan', 'reason'])
  const missedDrills = metrics.counter(
    'holdfast_restore_drill_schedule_missed_total',
    'Slots of restore drills that were not run',
    ['drill', 'reason'],
  )
  const valid = metrics.gauge('holdfast_configuration_valid', 'Whether the newest configuration can be used')
  metrics.gauge('holdfast_build_info', 'The version', ['version']).set(1, { version })
  metrics.gauge('holdfast_start_time_seconds', 'When the process started').set(Date.now() / 1000)
  const successes = new Map<string, Date>()
  const elsewhere = journal.history.elsewhere(services.process.id)
  let since: ReadonlyMap<string, Date> = new Map()
  let announced: ResolvedConfig | undefined
  metrics.beforeRead(() => {
    const config = engine.config()
    if (announced === config) return
    announced = config
    // So that increase() sees the first one.
    for (const { name: plan } of config.plans) for (const reason of reasons) missed.add(0, { plan, reason })
    for (const { name: drill } of config.drills) for (const reason of reasons) missedDrills.add(0, { drill, reason })
  })
  recordSchedules({
    metrics,
    clock,
    prefix: 'holdfast_schedule',
    label: 'plan',
    // How old a backup may be is not asked of a plan that makes none.
    entries: () => engine.config().plans.map((plan) => ({ ...plan, isAgeless: plan.maintenance })),
    next,
    pausedSince,
    since: (plan) => since.get(plan),
  })
  recordSchedules({
    metrics,
    clock,
    prefix: 'holdfast_restore_drill_schedule',
    label: 'drill',
    entries: () => engine.config().drills.map((drill) => ({ ...drill, isAgeless: false })),
    next: (drill) => next(drillId(drill)),
    since: (drill) => since.get(drillId(drill)),
  })

  return {
    ended: (name) => read('when it last succeeded', () => remember(name)),
    look: () =>
      read('what other processes have run', () => {
        for (const whose of elsewhere()) remember('plan' in whose ? whose.plan : drillId(whose.drill))
      }),
    lastSuccess: (name) => successes.get(name),
    missed(name, reason, count) {
      const drill = drillOfId(name)
      if (drill === undefined) missed.add(count, { plan: name, reason })
      else missedDrills.add(count, { drill, reason })
    },
    configured(config, before) {
      const { plans, drills } = config
      forget('plan', plans, before?.plans)
      forget('drill', drills, before?.drills)
      since = scheduledSince(scheduledIn(config).map(({ name }) => name))
      // A restart must not look as if nothing had ever succeeded (fault F52).
      read('when plans last succeeded', () => {
        for (const { name } of plans) remember(name)
        for (const { name } of drills) remember(drillId(name))
      })
    },
    valid: (isValid) => valid.set(isValid ? 1 : 0),
  }

  function remember(name: string): void {
    const drill = drillOfId(name)
    const last = journal.history.lastGood(drill === undefined ? { plan: name } : { drill })
    if (last) successes.set(name, last)
  }

  /** What can't be read stays as it was. */
  function read(what: string, work: () => void): void {
    try {
      work()
    } catch (error) {
      services.log.warn(`${what} can not be read: ${reasonOf(error)}`, { error })
    }
  }

  function forget(
    label: 'plan' | 'drill',
    now: readonly { readonly name: string }[],
    before: readonly { readonly name: string }[] = [],
  ): void {
    const names = new Set(now.map(({ name }) => name))
    for (const { name } of before) {
      if (names.has(name)) continue
      metrics.remove({ [label]: name })
      successes.delete(label === 'plan' ? name : drillId(name))
    }
  }

  function scheduledSince(plans: readonly string[]): ReadonlyMap<string, Date> {
    try {
      return journal.scheduledSince(plans)
    } catch (error) {
      services.log.warn('since when plans have been scheduled can not be written down', { error })
      return new Map()
    }
  }
}
