import { formatDuration } from '@holdfast/sdk'
import { recordFailure, type UndoRecord } from '@holdfast/runtime'
import { openConfiguration } from '../configuration.ts'
import { confirm } from '../confirm.ts'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { hasJournal, lookIntoJournal } from '../journal.ts'
import { count, formatTime } from '../output/format.ts'
import { printable } from '../output/printable.ts'
import { formatTable } from '../output/table.ts'
import { openEngine } from '../session.ts'

/** Options of `holdfast undo run`. */
export interface UndoRunOptions {
  readonly all?: boolean | undefined
  readonly force?: boolean | undefined
  readonly yes?: boolean | undefined
}

/** Options of `holdfast undo drop`. */
export interface UndoDropOptions {
  readonly yes?: boolean | undefined
}

/** `holdfast undo list`: what has been taken and not given back. */
export async function runUndoListCommand(context: CommandContext): Promise<number> {
  const pending = readPending(context)
  if (context.settings.json) context.printJson(pending.map(undoJson))
  else if (pending.length === 0) context.print('Nothing is pending: all that was taken has been given back.\n')
  else context.print(undoTable(pending, context))
  return exitCode.ok
}

/** `holdfast undo run`: gives it back now; what a living run still holds only with `--force`. */
export async function runUndoRunCommand(
  context: CommandContext,
  ids: readonly string[],
  options: UndoRunOptions,
): Promise<number> {
  const { settings, style } = context
  const pending = readPending(context)
  const chosen = options.all ? pending : ids.map((id) => oneUndo(pending, id))
  if (!options.all && ids.length === 0) {
    throw errors.OPTION_INVALID({ option: 'undo run', value: '', allowed: 'ids of undos, or --all' })
  }
  if (chosen.length === 0) {
    context.print(settings.json ? '[]\n' : 'Nothing is pending.\n')
    return exitCode.ok
  }
  const what = count(chosen.length, 'undo')
  const question = `${undoTable(chosen, context)}Run ${what} now?`
  if (!options.yes && !(await confirm(context, `running ${what}`, question))) return exitCode.failed
  const session = await openEngine(context, await openConfiguration(context))
  try {
    const only = chosen.map(({ id }) => id)
    const results = await session.engine.runUndos({ only, force: options.force })
    if (settings.json) {
      const json = results.map(({ undo, result, error }) => ({
        ...undoJson(undo),
        result,
        error: error && recordFailure(error),
      }))
      context.printJson(json)
    } else {
      for (const { undo, result, error } of results) {
        if (result === 'done') context.print(`${style.green('✓')} ${undo.undo} of ${undo.participant} is given back\n`)
        else context.fail(error ?? errors.UNDO_OWNED({ undo: undo.undo, run: undo.run }))
      }
    }
    return results.every(({ result }) => result === 'done') ? exitCode.ok : exitCode.failed
  } finally {
    session.engine.close()
  }
}

/** `holdfast undo drop`: forgets one that a person has dealt with. */
export async function runUndoDropCommand(
  context: CommandContext,
  id: string,
  options: UndoDropOptions,
): Promise<number> {
  const journal = lookIntoJournal(context)
  try {
    const undo = oneUndo(journal.pendingUndos(), id)
    const question = `${undoTable([undo], context)}Forget it? What it would give back must have been given back by hand.`
    if (!options.yes && !(await confirm(context, `dropping "${undo.undo}"`, question))) return exitCode.failed
    journal.settleUndo(undo.id, 'dropped')
    if (context.settings.json) context.printJson({ ...undoJson(undo), state: 'dropped' })
    else context.print(`${undo.undo} of ${undo.participant} is forgotten\n`)
    return exitCode.ok
  } finally {
    journal.close()
  }
}

function readPending(context: CommandContext): readonly UndoRecord[] {
  if (!hasJournal(context.settings.stateDirectory)) return []
  const journal = lookIntoJournal(context)
  try {
    return journal.pendingUndos()
  } finally {
    journal.close()
  }
}

function oneUndo(pending: readonly UndoRecord[], id: string): UndoRecord {
  const found = pending.filter((undo) => undo.id.startsWith(id))
  const [undo] = found
  if (id === '' || !undo || found.length > 1) throw errors.UNDO_NOT_PENDING({ undo: id })
  return undo
}

function undoJson(undo: UndoRecord): object {
  return { ...undo, input: JSON.parse(undo.input) as unknown }
}

function undoTable(pending: readonly UndoRecord[], { style, width, io }: CommandContext): string {
  const now = io.clock.now().getTime()
  const rows = pending.map(({ id, undo, plan, participant, run, armedAt, attempts, error }) => [
    id.slice(0, 8),
    undo,
    `${plan}/${participant}`,
    run,
    formatTime(armedAt),
    formatDuration(Math.max(0, now - armedAt.getTime())),
    String(attempts),
    printable(error ?? ''),
  ])
  const head = ['ID', 'UNDO', 'OF', 'RUN', 'TAKEN', 'HELD', 'TRIED', 'LAST ERROR']
  return formatTable(head, rows, { style, width, right: [5, 6] })
}
