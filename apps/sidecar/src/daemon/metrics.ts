import type { Engine, Metrics, MissedSlot, ResolvedConfig } from '@holdfast/runtime'
import { version } from '../version.ts'

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
export function createDaemonMetrics(metrics: Metrics, { journal }: Engine): DaemonMetrics {
  const missed = metrics.counter('holdfast_schedule_missed_total', 'Slots that were not run', ['plan', 'reason'])
  const valid = metrics.gauge('holdfast_configuration_valid', 'Whether the newest configuration can be used')
  const success = metrics.gauge('holdfast_run_last_success_timestamp_seconds', 'When a run last had its success', [
    'plan',
  ])
  metrics.gauge('holdfast_build_info', 'The version', ['version']).set(1, { version })
  metrics.gauge('holdfast_start_time_seconds', 'When the process started').set(Date.now() / 1000)
  const successes = new Map<string, Date>()
  return {
    succeeded: (plan, at) => void successes.set(plan, at),
    lastSuccess: (plan) => successes.get(plan),
    missed: (plan, reason, count) => missed.add(count, { plan, reason }),
    configured({ plans }, before) {
      const names = new Set(plans.map(({ name }) => name))
      const maintenance = new Set(plans.filter((plan) => plan.maintenance).map(({ name }) => name))
      for (const { name } of before?.plans ?? []) {
        if (names.has(name)) continue
        metrics.remove({ plan: name })
        successes.delete(name)
      }
      for (const plan of names) {
        // So that increase() sees the first one.
        for (const reason of reasons) missed.add(0, { plan, reason })
        // A restart must not look as if nothing had ever succeeded (fault F52).
        const last = journal.lastSuccess(plan)
        if (!last) continue
        // Of maintenance plans only what is asked of this daemon; the metric is about backups.
        if (!maintenance.has(plan)) success.set(last.getTime() / 1000, { plan })
        successes.set(plan, last)
      }
    },
    valid: (isValid) => valid.set(isValid ? 1 : 0),
  }
}
