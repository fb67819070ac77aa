import { formatDuration, type RunStatus } from '@holdfast/sdk'
import type { RunRecord } from '@holdfast/runtime'
import { formatTime } from './format.ts'
import { printable } from './printable.ts'
import type { Style } from './style.ts'
import { formatTable } from './table.ts'

/** How output is laid out. */
export interface Layout {
  readonly style: Style
  readonly width?: number | undefined
}

/** Runs as a table. */
export function formatRuns(runs: readonly RunRecord[], { style, width }: Layout): string {
  const rows = runs.map((run) => [
    run.id,
    run.plan,
    formatTime(run.startedAt),
    run.durationMs === undefined ? '' : formatDuration(run.durationMs),
    paintStatus(run.status, style) + (run.dryRun ? style.dim(' (dry run)') : ''),
    run.drill === undefined ? run.trigger : `drill ${run.drill}`,
    printable(run.reason ?? run.error?.message ?? ''),
  ])
  return formatTable(['RUN', 'PLAN', 'STARTED', 'TOOK', 'STATUS', 'TRIGGER', 'WHY'], rows, { style, width, right: [3] })
}

/** A status in its colour. */
export function paintStatus(status: RunStatus | undefined, style: Style): string {
  switch (status) {
    case undefined:
      return style.cyan('running')
    case 'succeeded':
      return style.green(status)
    case 'partial':
    case 'skipped':
      return style.yellow(status)
    case 'failed':
    case 'aborted':
      return style.red(status)
  }
}

/** A run as `--json` prints it. */
export function runJson(run: RunRecord): object {
  return { ...run, status: run.status ?? 'running' }
}
