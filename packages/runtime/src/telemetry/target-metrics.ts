import type { Meter, TargetOutcome } from '@holdfast/sdk'
import type { RunEvent } from '../lifecycle/events.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import { isExecution } from './plan-state.ts'

const results: readonly TargetOutcome['status'][] = ['succeeded', 'failed', 'skipped', 'aborted']
const readBack = ['verified', 'unverified'] as const
/** Why nothing older of a target may be removed. */
const blocks = ['failed', 'unverified', 'not_applicable', 'suspect'] as const

interface TargetCounters {
  readonly backups: ReturnType<Meter['counter']>
  readonly verified: ReturnType<Meter['counter']>
  readonly blocked: ReturnType<Meter['counter']>
}

function countersOf(meter: Meter): TargetCounters {
  const by = ['plan', 'result']
  return {
    backups: meter.counter('holdfast_target_backups_total', 'Targets of runs by what became of them', by),
    verified: meter.counter('holdfast_verify_runs_total', 'Backups of targets by whether they could be read back', by),
    blocked: meter.counter('holdfast_retention_blocked_total', 'Targets of which nothing older could be removed', [
      'reason',
    ]),
  }
}

/** Begins all counts of targets at 0. A plan that backs nothing up has none. */
export function announceTargets(meter: Meter, plans: readonly Pick<ResolvedPlan, 'name' | 'maintenance'>[]): void {
  const { backups, verified, blocked } = countersOf(meter)
  for (const { name: plan, maintenance } of plans) {
    if (maintenance) continue
    for (const result of results) backups.add(0, { plan, result })
    for (const result of readBack) verified.add(0, { plan, result })
  }
  for (const reason of blocks) blocked.add(0, { reason })
}

/** Counts what became of the targets of a run. Which they were, other metrics say: these would have a series for each. */
export function countTargets(meter: Meter, { run, outcome }: Extract<RunEvent, { type: 'run-ended' }>): void {
  if (!isExecution(run)) return
  const { backups, verified, blocked } = countersOf(meter)
  const { plan } = run
  for (const target of outcome.targets) {
    backups.add(1, { plan, result: target.status })
    if (target.status === 'succeeded' && target.verification !== 'not-applicable') {
      verified.add(1, { plan, result: target.verification })
    }
    const reason = blockOf(target)
    if (reason !== undefined) blocked.add(1, { reason })
  }
}

function blockOf({ status, verification, points }: TargetOutcome): (typeof blocks)[number] | undefined {
  if (status === 'failed' || status === 'aborted') return 'failed'
  if (status === 'skipped') return undefined
  if (verification !== 'verified') return verification === 'unverified' ? 'unverified' : 'not_applicable'
  return points.every(({ state }) => state === 'valid') ? undefined : 'suspect'
}
