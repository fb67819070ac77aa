import { formatDuration, type Json } from '@holdfast/sdk'
import { recordFailure } from '@holdfast/runtime'
import { foundPointJson } from './points.ts'
import { formatAge } from './backups.ts'
import { formatMoment } from '../restore/moment.ts'
import type { Backup } from '../restore/backup.ts'
import type { Restored, RestoredBackup } from '../restore/restore-backup.ts'
import { count, formatBytes } from './format.ts'
import { printable } from './printable.ts'
import type { Style } from './style.ts'

/** How a report is laid out. */
export interface ReportLayout {
  readonly style: Style
  readonly zone: string
  readonly now: Date
}

/** What a restore did, for people. */
export function formatRestored(backup: Backup, { items, run, error }: RestoredBackup, layout: ReportLayout): string {
  const { style, zone, now } = layout
  const lines = items.flatMap((item) => linesOf(backup, item, layout))
  const done = items.filter((item) => !item.error && item.steps === undefined && stepsIn(item.where) === undefined)
  if (error || done.length === 0) return lines.map((line) => `${line}\n`).join('')
  const bytes = done.reduce((sum, { point }) => sum + (point.size ?? 0), 0)
  const ms = done.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const made = `${formatMoment(backup.createdAt, zone)} ${zone} (${formatAge(backup.createdAt, now)} ago)`
  const what = `${count(done.length, backup.point ? 'restore point' : 'artifact')}, ${formatBytes(bytes)}`
  const as = run === undefined ? '' : `, as run ${run}`
  const sum = `${style.bold('restored')} ${printable(`${backup.plan} · ${backup.target}`)} as of ${made}: ${what} in ${formatDuration(ms)}${as}`
  return [...lines, sum].map((line) => `${line}\n`).join('')
}

/** The same for `--json`: an element for each artifact or point. */
export function restoredJson(backup: Backup, { items, run }: RestoredBackup): readonly object[] {
  return items.map(({ point, found, where, durationMs, steps, isProven, error }) => {
    const outcome = { where, run, durationMs, isProven, steps, error: error && recordFailure(error) }
    if (backup.point) return { point: foundPointJson(backup.point), ...outcome }
    if (!found) return { point, ...outcome }
    const { id, plan, target, name, createdAt, size, sha256 } = found.artifact
    return { artifact: { id, plan, target, name, createdAt, size, sha256 }, ...outcome }
  })
}

function linesOf(backup: Backup, item: Restored, { style, zone }: ReportLayout): readonly string[] {
  const { point, found, where, durationMs, error, steps, isProven } = item
  const id = printable(point.id)
  if (error) return [`${style.red('✗')} ${id} was not restored`]
  const planned = steps ?? stepsIn(where)
  if (planned) return planned.map((step) => printable(`would ${step}`))
  const size = point.size === undefined ? 'unknown' : formatBytes(point.size)
  return [
    `${style.green('✓')} ${id}`,
    ...(backup.point ? [`    of        ${printable(point.target)}`] : []),
    `    from      ${formatMoment(point.createdAt, zone)} ${zone}`,
    `    size      ${size} in ${formatDuration(durationMs)}`,
    ...(found ? [`    sha256    ${found.artifact.sha256}, ${isProven ? 'compared' : 'not compared to its end'}`] : []),
    `    restored  ${printable(typeof where === 'string' ? where : JSON.stringify(where))}`,
  ]
}

/** What a plugin that was asked for a dry run says it would do: `{ dryRun: ['…'] }`. */
function stepsIn(where: Json): readonly string[] | undefined {
  const { dryRun } = (where ?? {}) as { readonly dryRun?: unknown }
  return Array.isArray(dryRun) ? dryRun.map(String) : undefined
}
