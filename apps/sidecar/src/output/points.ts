import type { RestorePoint } from '@holdfast/sdk'
import type { FoundPoint } from '../points.ts'
import { formatBytes, formatTime } from './format.ts'
import type { Layout } from './runs.ts'
import type { Style } from './style.ts'
import { formatTable } from './table.ts'

/** Restore points outside the store as a table. */
export function formatPoints(points: readonly FoundPoint[], { style, width }: Layout): string {
  const rows = points.map(({ point }) => [
    point.id,
    point.target,
    formatTime(point.createdAt),
    point.size === undefined ? '' : formatBytes(point.size),
    point.mode ?? '',
    paintState(point, style),
    point.verifiedAt ? formatTime(point.verifiedAt) : style.dim('not yet'),
  ])
  const head = ['ID', 'TARGET', 'CREATED', 'SIZE', 'MODE', 'STATE', 'VERIFIED']
  return formatTable(head, rows, { style, width, right: [3] })
}

/** One restore point outside the store, for `--json`. */
export function foundPointJson({ plan, participant, point }: FoundPoint): object {
  const { id, target, createdAt, size, mode, state, verifiedAt, ref } = point
  return {
    kind: 'point',
    plugin: participant.name,
    plan: plan.name,
    id,
    target,
    createdAt,
    size,
    mode,
    state,
    verifiedAt,
    ref,
  }
}

function paintState({ state }: RestorePoint, style: Style): string {
  if (state === 'valid') return style.green(state)
  return (state === 'suspect' ? style.yellow : style.red)(state)
}
