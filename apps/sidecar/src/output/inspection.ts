import type { HoldfastFailure } from '@holdfast/sdk'
import { formatRetention, type InspectedTarget, type ResolvedPlan } from '@holdfast/runtime'
import { count, formatBytes, formatTime } from './format.ts'
import { printable } from './printable.ts'
import type { Layout } from './runs.ts'
import { formatTable } from './table.ts'

/** What a look at a plan found. */
export interface Inspection {
  readonly plan: ResolvedPlan
  readonly problems: readonly HoldfastFailure[]
  readonly targets: readonly InspectedTarget[]
}

/** What a run of a plan would do, for people. */
export function formatInspection({ plan, targets, problems }: Inspection, { style, width }: Layout): string {
  const lines = [`${style.bold(plan.name)}  ${style.dim(summary(plan, targets))}`]
  if (targets.length === 0 && !plan.maintenance && problems.length === 0) {
    lines.push(
      `  ${style.yellow('!')} nothing to back up: ${plan.allowEmpty ? 'the run succeeds (allowEmpty)' : 'the run fails'}`,
    )
  }
  for (const { id, steps, points, expired } of targets) {
    const newest = points[0]
    const last = newest === undefined ? 'no restore point yet' : `newest restore point ${formatTime(newest.createdAt)}`
    lines.push('', `  ${style.bold(printable(id))}  ${style.dim(`${count(points.length, 'restore point')}, ${last}`)}`)
    const rows = steps.map(({ kind, what, where }) => [`    ${kind}`, printable(what), printable(where ?? '')])
    if (rows.length > 0) lines.push(formatTable(['    STEP', 'WHAT', 'WHERE'], rows, { style, width }).trimEnd())
    for (const point of expired) {
      const size = point.size === undefined ? '' : `, ${formatBytes(point.size)}`
      lines.push(`    ${style.yellow('remove')}  ${formatTime(point.createdAt)}${size}  ${style.dim(point.id)}`)
    }
  }
  return `${lines.join('\n')}\n\n`
}

function summary({ maintenance, retention, concurrency }: ResolvedPlan, targets: readonly InspectedTarget[]): string {
  if (maintenance) return 'maintenance: backs nothing up'
  const kept = retention === undefined ? 'nothing is pruned' : `keeps ${formatRetention(retention)}`
  return `${count(targets.length, 'target')}, ${concurrency} at once, ${kept}`
}
