import type { ResolvedConfig } from '../load/resolved.ts'
import type { Metrics } from './metrics.ts'
import type { Labels } from './series.ts'
import { undosOf } from './run-metrics.ts'

type Told = Pick<ResolvedConfig, 'plans' | 'drills'>

/**
 * Drops the series of what a new configuration does not have any more: plans and drills, their hooks, undos and copies.
 * A daemon that is configured anew for years would show all that there ever was.
 */
export function forgetGone(metrics: Pick<Metrics, 'remove'>, before: Told, now: Told): void {
  const there = new Set(subjectsOf(now).map((labels) => JSON.stringify(labels)))
  for (const labels of subjectsOf(before)) if (!there.has(JSON.stringify(labels))) metrics.remove(labels)
}

/** What series are about, as the labels that they have. */
function subjectsOf({ plans, drills }: Told): readonly Labels[] {
  return [
    ...plans.map(({ name: plan }) => ({ plan })),
    ...plans.flatMap(({ name: plan, copies }) => copies.map(({ name: copy }) => ({ plan, copy }))),
    ...drills.map(({ name: drill }) => ({ drill })),
    ...plans.flatMap(({ participants }) => participants.map(({ id: hook }) => ({ hook }))),
    ...drills.map(({ participant: { id: hook } }) => ({ hook })),
    ...undosOf(plans, drills).map((kind) => ({ kind })),
  ]
}
