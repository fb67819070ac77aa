import type { HoldfastFailure } from '@holdfast/sdk'
import {
  describeKept,
  formatRetention,
  type InspectedCopy,
  type InspectedTarget,
  type ResolvedPlan,
} from '@holdfast/runtime'
import { count, formatBytes, formatTime } from './format.ts'
import { printable } from './printable.ts'
import type { Layout } from './runs.ts'
import type { Style } from './style.ts'
import { formatTable } from './table.ts'

/** What a look at a plan found. */
export interface Inspection {
  readonly plan: ResolvedPlan
  readonly problems: readonly HoldfastFailure[]
  readonly targets: readonly InspectedTarget[]
  readonly copies: readonly InspectedCopy[]
}

/** What a run of a plan would do, for people. */
export function formatInspection({ plan, targets, problems, copies }: Inspection, { style, width }: Layout): string {
  const lines = [`${style.bold(plan.name)}  ${style.dim(summary(plan, targets))}`]
  if (targets.length === 0 && !plan.maintenance && problems.length === 0) {
    lines.push(
      `  ${style.yellow('!')} nothing to back up: ${plan.allowEmpty ? 'the run succeeds (allowEmpty)' : 'the run fails'}`,
    )
  }
  for (const { id, steps, points, expired, kept } of targets) {
    const newest = points[0]
    const last = newest === undefined ? 'no restore point yet' : `newest restore point ${formatTime(newest.createdAt)}`
    lines.push('', `  ${style.bold(printable(id))}  ${style.dim(`${count(points.length, 'restore point')}, ${last}`)}`)
    const rows = steps.map(({ kind, what, where }) => [`    ${kind}`, printable(what), printable(where ?? '')])
    if (rows.length > 0) lines.push(formatTable(['    STEP', 'WHAT', 'WHERE'], rows, { style, width }).trimEnd())
    lines.push(...prunes({ expired, kept }, style))
  }
  for (const { name, artifacts, lacks, expired, kept, error } of copies) {
    const state = error ? style.yellow('it can not be looked at') : style.dim(count(artifacts.length, 'artifact'))
    lines.push('', `  ${style.bold(`copy ${printable(name)}`)}  ${state}`)
    for (const { createdAt, storedSize, id } of lacks)
      lines.push(`    ${style.green('copy')}    ${formatTime(createdAt)}, ${formatBytes(storedSize)}  ${style.dim(id)}`)
    lines.push(...prunes({ expired, kept }, style))
  }
  return `${lines.join('\n')}\n\n`
}

/** What retention would do, and why the rest stays. */
function prunes({ expired, kept }: Pick<InspectedTarget, 'expired' | 'kept'>, style: Style): readonly string[] {
  const removed = expired.map(({ createdAt, size, id }) => {
    const bytes = size === undefined ? '' : `, ${formatBytes(size)}`
    return `    ${style.yellow('remove')}  ${formatTime(createdAt)}${bytes}  ${style.dim(id)}`
  })
  return [
    ...(kept.length === 0 ? [] : [`    ${style.green('keep')}    ${kept.length}: ${describeKept(kept)}`]),
    ...removed,
  ]
}

function summary(
  { maintenance, retention, concurrency, copies }: ResolvedPlan,
  targets: readonly InspectedTarget[],
): string {
  if (maintenance) return 'maintenance: backs nothing up'
  const kept = retention === undefined ? 'nothing is pruned' : `keeps ${formatRetention(retention)}`
  const further = copies.length === 0 ? '' : `, ${count(copies.length, 'copy', 'copies')}`
  return `${count(targets.length, 'target')}, ${concurrency} at once, ${kept}${further}`
}
