import type { Meter, TargetOutcome } from '@holdfast/sdk'
import type { RunEvent } from '../lifecycle/events.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import { isExecution } from './plan-state.ts'

/** What became of a target, and of a backup how it was made: `none` where there is none. */
const results: readonly (readonly [result: TargetOutcome['status'], mode: Mode])[] = [
  ['succeeded', 'full'],
  ['succeeded', 'differential'],
  ['succeeded', 'none'],
  ['failed', 'none'],
  ['skipped', 'none'],
  ['aborted', 'none'],
]
const readBack = ['verified', 'unverified'] as const
/** Why nothing older of a target may be removed. */
const blocks = ['failed', 'unverified', 'not_applicable', 'suspect'] as const

type Mode = 'full' | 'differential' | 'none'

interface TargetCounters {
  readonly backups: ReturnType<Meter['counter']>
  readonly verified: ReturnType<Meter['counter']>
  readonly blocked: ReturnType<Meter['counter']>
}

function countersOf(meter: Meter): TargetCounters {
  const by = ['plan', 'result']
  return {
    backups: meter.counter('holdfast_target_backups_total', 'Targets of runs by what became of them', [
      'plan',
      'mode',
      'result',
    ]),
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
    for (const [result, mode] of results) backups.add(0, { plan, mode, result })
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
    backups.add(1, { plan, mode: modeOf(target), result: target.status })
    if (target.status === 'succeeded' && target.verification !== 'not-applicable') {
      verified.add(1, { plan, result: target.verification })
    }
    const reason = blockOf(target)
    if (reason !== undefined) blocked.add(1, { reason })
  }
}

/** One part that needs another backup makes the whole need it. */
function modeOf({ status, points }: TargetOutcome): Mode {
  if (status !== 'succeeded' || points.length === 0) return 'none'
  return points.some(({ mode }) => mode === 'differential') ? 'differential' : 'full'
}

function blockOf({ status, verification, points }: TargetOutcome): (typeof blocks)[number] | undefined {
  if (status === 'failed' || status === 'aborted') return 'failed'
  if (status === 'skipped') return undefined
  if (verification !== 'verified') return verification === 'unverified' ? 'unverified' : 'not_applicable'
  return points.every(({ state }) => state === 'valid') ? undefined : 'suspect'
}
