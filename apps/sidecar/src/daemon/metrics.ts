import type { Engine, Metrics, MissedSlot, ResolvedConfig, RuntimeClock } from '@holdfast/runtime'
import { version } from '../version.ts'
import { recordSchedules } from './schedule-metrics.ts'

/** What {@link createDaemonMetrics} needs. */
export interface CreateDaemonMetricsOptions {
  readonly metrics: Metrics
  readonly engine: Pick<Engine, 'config' | 'journal' | 'services'>
  readonly clock: Pick<RuntimeClock, 'monotonic'>
  /** When a plan fires next. */
  next(plan: string): Date | undefined
}

/** The metrics that only a daemon has. */
export interface DaemonMetrics {
  missed(plan: string, reason: MissedSlot['reason'], count: number): void
  /** A configuration came into force: series of plans that are gone end, and those of new ones begin. */
  configured(config: ResolvedConfig, before?: ResolvedConfig): void
  /** Whether the newest configuration can be used. */
  valid(isValid: boolean): void
  succeeded(plan: string, at: Date): void
  /** Also before this process. */
  lastSuccess(plan: string): Date | undefined
}

const reasons: readonly MissedSlot['reason'][] = ['down', 'overlap', 'paused', 'dst_gap', 'clock']

/** Registers them. */
export function createDaemonMetrics({ metrics, engine, clock, next }: CreateDaemonMetricsOptions): DaemonMetrics {
  const { journal, services } = engine
  const missed = metrics.counter('holdfast_schedule_missed_total', 'Slots that were not run', ['plan', 'reason'])
  const valid = metrics.gauge('holdfast_configuration_valid', 'Whether the newest configuration can be used')
  metrics.gauge('holdfast_build_info', 'The version', ['version']).set(1, { version })
  metrics.gauge('holdfast_start_time_seconds', 'When the process started').set(Date.now() / 1000)
  const successes = new Map<string, Date>()
  let since: ReadonlyMap<string, Date> = new Map()
  let announced: ResolvedConfig | undefined
  metrics.beforeRead(() => {
    const config = engine.config()
    if (announced === config) return
    announced = config
    // So that increase() sees the first one.
    for (const { name: plan } of config.plans) for (const reason of reasons) missed.add(0, { plan, reason })
  })
  recordSchedules({ metrics, clock, plans: () => engine.config().plans, next, since: (plan) => since.get(plan) })

  return {
    succeeded: (plan, at) => void successes.set(plan, at),
    lastSuccess: (plan) => successes.get(plan),
    missed: (plan, reason, count) => missed.add(count, { plan, reason }),
    configured({ plans }, before) {
      const names = new Set(plans.map(({ name }) => name))
      for (const { name } of before?.plans ?? []) {
        if (names.has(name)) continue
        metrics.remove({ plan: name })
        successes.delete(name)
      }
      since = scheduledSince(plans.flatMap(({ name, schedule }) => (schedule ? [name] : [])))
      // A restart must not look as if nothing had ever succeeded (fault F52).
      for (const plan of names) {
        const last = journal.lastSuccess(plan)
        if (last) successes.set(plan, last)
      }
    },
    valid: (isValid) => valid.set(isValid ? 1 : 0),
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
