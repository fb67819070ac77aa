import { formatDuration } from '@holdfast/sdk'
import type { HookRecord, Journal, RunRecord, UndoRecord } from '@holdfast/runtime'
import { formatFailure } from './failure.ts'
import { formatTime } from './format.ts'
import { printable } from './printable.ts'
import { paintStatus, runJson, type Layout } from './runs.ts'
import type { Style } from './style.ts'
import { formatTable } from './table.ts'

type Details = Pick<Journal, 'hooks' | 'targets' | 'undos'>

/** Everything about one run, for people. */
export function formatRunDetails(journal: Details, run: RunRecord, layout: Layout): string {
  const { style } = layout
  const took = run.durationMs === undefined ? '' : ` in ${formatDuration(run.durationMs)}`
  const because = run.reason === undefined ? '' : ` (${run.reason})`
  const attempt = run.attempt > 1 ? `, attempt ${run.attempt}` : ''
  return [
    `${style.bold(run.drill ?? run.plan)} ${paintStatus(run.status, style)}${because}${took}`,
    ...(run.drill === undefined ? [] : [`  plan       ${run.plan}`]),
    `  run        ${run.id}`,
    `  started    ${formatTime(run.startedAt)} by ${run.trigger}${attempt}${run.dryRun ? ', dry run' : ''}`,
    `  scheduled  ${formatTime(run.scheduledFor)}`,
    '',
    hooksTable(journal.hooks(run.id), layout),
    targetsTable(journal, run, layout),
    undosTable(journal.undos(run.id), layout),
    failures(run, layout),
  ]
    .filter((part, at, all) => part !== '' || at === all.indexOf(''))
    .join('\n')
}

/** The same as `--json` prints it. */
export function runDetailsJson(journal: Details, run: RunRecord): object {
  const undos = journal.undos(run.id).map((undo) => ({ ...undo, heldMs: heldMs(undo) }))
  return { ...runJson(run), hooks: journal.hooks(run.id), targets: journal.targets(run.id), undos }
}

function hooksTable(hooks: readonly HookRecord[], { style, width }: Layout): string {
  if (hooks.length === 0) return ''
  const rows = hooks.map(({ hook, participant, target, attempt, durationMs, error }) => [
    (error ? style.red(hook) : hook) + (attempt > 1 ? ` (attempt ${attempt})` : ''),
    target === undefined || target === participant ? participant : `${participant} → ${target}`,
    durationMs === undefined ? style.yellow('never ended') : formatDuration(durationMs),
    printable(error?.message ?? ''),
  ])
  return formatTable(['HOOK', 'WHO', 'TOOK', 'ERROR'], rows, { style, width, right: [2] })
}

function targetsTable(journal: Details, run: RunRecord, { style, width }: Layout): string {
  const targets = journal.targets(run.id)
  if (targets.length === 0) return ''
  const rows = targets.map(({ target, status, verification, reason, error }) => [
    target,
    status === 'succeeded' ? style.green(status) : status === 'skipped' ? style.yellow(status) : style.red(status),
    verification === 'unverified' ? style.red(verification) : verification,
    printable(reason ?? error?.message ?? ''),
  ])
  return formatTable(['TARGET', 'STATUS', 'VERIFICATION', 'WHY'], rows, { style, width })
}

function undosTable(undos: readonly UndoRecord[], { style, width }: Layout): string {
  if (undos.length === 0) return ''
  const rows = undos.map((undo) => {
    const held = heldMs(undo)
    return [
      undo.undo,
      undo.participant,
      formatTime(undo.armedAt),
      held === undefined ? style.red('still held') : formatDuration(held),
      paintUndo(undo, style),
      printable(undo.error ?? ''),
    ]
  })
  return formatTable(['UNDO', 'WHO', 'TAKEN', 'HELD', 'STATE', 'LAST ERROR'], rows, { style, width, right: [3] })
}

function failures(run: RunRecord, { style, width }: Layout): string {
  const shown = [
    ...(run.error ? [formatFailure(run.error, { style, width })] : []),
    ...run.warnings.map((warning) => formatFailure(warning, { style, width, label: 'warning' })),
  ]
  return shown.join('\n')
}

/** How long something stood still; `undefined` while it does. */
function heldMs({ armedAt, settledAt }: UndoRecord): number | undefined {
  return settledAt && settledAt.getTime() - armedAt.getTime()
}

function paintUndo({ state, attempts }: UndoRecord, style: Style): string {
  const tried = attempts > 1 ? ` (${attempts} attempts)` : ''
  return `${state === 'armed' || state === 'firing' ? style.red('pending') : state}${tried}`
}
