import { formatDuration } from '@holdfast/sdk'
import { describeUnfinished, recordFailure, removeStoredUndo, type UndoRecord } from '@holdfast/runtime'
import { openConfiguration } from '../configuration.ts'
import { confirm } from '../confirm.ts'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { lookIntoJournal } from '../journal.ts'
import { count, formatTime } from '../output/format.ts'
import { printable } from '../output/printable.ts'
import { formatTable } from '../output/table.ts'
import { findPendingUndos, type PendingUndo } from '../pending-undos.ts'
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

const clusterUnknown =
  'Nothing is pending here. What other pods have taken is not known: the cluster could not be asked, or what it has not be read.\n'

/** `holdfast undo list`: what has been taken and not given back. */
export async function runUndoListCommand(context: CommandContext): Promise<number> {
  const { undos: pending, isComplete, close } = await findPendingUndos(context)
  close()
  if (context.settings.json) context.printJson(pending.map(undoJson))
  else if (pending.length === 0) {
    context.print(isComplete ? 'Nothing is pending: all that was taken has been given back.\n' : clusterUnknown)
  } else context.print(undoTable(pending, context))
  return exitCode.ok
}

/** `holdfast undo run`: gives it back now; what a living run still holds only with `--force`. */
export async function runUndoRunCommand(
  context: CommandContext,
  ids: readonly string[],
  options: UndoRunOptions,
): Promise<number> {
  const { settings, style } = context
  const { undos: pending, isComplete, close } = await findPendingUndos(context)
  close()
  const chosen = options.all ? pending : ids.map((id) => oneUndo(pending, id))
  if (!options.all && ids.length === 0) {
    throw errors.CHOICE_MISSING({ command: 'undo run', what: 'undos', allowed: 'their ids, or --all' })
  }
  if (chosen.length === 0) {
    context.print(settings.json ? '[]\n' : isComplete ? 'Nothing is pending.\n' : clusterUnknown)
    return isComplete ? exitCode.ok : exitCode.failed
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
    await session.close()
  }
}

/** `holdfast undo drop`: forgets one that a person has dealt with. */
export async function runUndoDropCommand(
  context: CommandContext,
  id: string,
  options: UndoDropOptions,
): Promise<number> {
  const { undos, kubernetes, close } = await findPendingUndos(context)
  try {
    const undo = oneUndo(undos, id)
    const question = `${undoTable([undo], context)}Forget it? What it would give back must have been given back by hand.`
    if (!options.yes && !(await confirm(context, `dropping "${undo.undo}"`, question))) return exitCode.failed
    if (undo.isInJournal) drop(context, undo.id)
    // A daemon would clear it away by what its journal says; nobody would what is in the cluster only.
    if (kubernetes && undo.isInCluster) await removeStoredUndo(kubernetes, undo.id)
    if (context.settings.json) context.printJson({ ...undoJson(undo), state: 'dropped' })
    else context.print(`${undo.undo} of ${undo.participant} is forgotten\n`)
    return exitCode.ok
  } finally {
    close()
  }
}

function drop(context: CommandContext, id: string): void {
  const journal = lookIntoJournal(context)
  try {
    journal.settleUndo(id, 'dropped')
  } finally {
    journal.close()
  }
}

function oneUndo(pending: readonly PendingUndo[], id: string): PendingUndo {
  const found = pending.filter((undo) => undo.id.startsWith(id))
  const [undo] = found
  if (id === '' || !undo || found.length > 1) throw errors.UNDO_NOT_PENDING({ undo: id })
  return undo
}

function undoJson({ isInJournal: _, isInCluster, ...undo }: UndoRecord & Partial<PendingUndo>): object {
  return { ...undo, input: JSON.parse(undo.input) as unknown, inCluster: isInCluster ?? undefined }
}

function undoTable(pending: readonly PendingUndo[], { style, width, io }: CommandContext): string {
  const now = io.clock.now().getTime()
  // Who armed it is news only where it was somebody else.
  const others = pending.some(({ isInJournal }) => !isInJournal)
  const rows = pending.map(({ id, undo, plan, participant, run, armedAt, attempts, error, pod, isInJournal }) => [
    id.slice(0, 8),
    undo,
    `${plan}/${participant}`,
    run,
    ...(others ? [isInJournal ? '' : printable(pod ?? 'another pod')] : []),
    formatTime(armedAt),
    formatDuration(Math.max(0, now - armedAt.getTime())),
    String(attempts),
    printable(error ?? ''),
  ])
  const where = others ? ['POD'] : []
  const head = ['ID', 'UNDO', 'OF', 'RUN', ...where, 'TAKEN', 'HELD', 'TRIED', 'LAST ERROR']
  const table = formatTable(head, rows, { style, width, right: others ? [6, 7] : [5, 6] })
  // Too long for a cell, and what matters.
  const unfinished = pending.flatMap((undo) => {
    const what = describeUnfinished(undo)
    return what === undefined ? [] : [`${undo.id.slice(0, 8)}: half restored is ${printable(what)}\n`]
  })
  return table + unfinished.join('')
}
