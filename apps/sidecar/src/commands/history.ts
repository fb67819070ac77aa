import type { Journal, RunRecord } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { lookIntoJournal } from '../journal.ts'
import { formatRunDetails, runDetailsJson } from '../output/run-details.ts'
import { formatRuns, runJson } from '../output/runs.ts'
import { positiveInteger } from '../settings.ts'

/** Options of `holdfast history`. */
export interface HistoryOptions {
  readonly plan?: string | undefined
  readonly drill?: string | undefined
  readonly limit: string
}

/** `holdfast history [RUN]`: what ran, newest first, or everything about one run. */
export async function runHistoryCommand(
  context: CommandContext,
  id: string | undefined,
  options: HistoryOptions,
): Promise<number> {
  const limit = positiveInteger('--limit', options.limit)
  const journal = lookIntoJournal(context)
  const { settings, style, width } = context
  try {
    if (id !== undefined) {
      const run = oneRun(journal, id, settings.stateDirectory)
      if (settings.json) context.printJson(runDetailsJson(journal, run))
      else context.print(formatRunDetails(journal, run, { style, width }))
      return exitCode.ok
    }
    const runs = journal.runs({ plan: options.plan, drill: options.drill, limit })
    if (settings.json) context.printJson(runs.map(runJson))
    else if (runs.length === 0) context.print(nothingOf(options))
    else context.print(formatRuns(runs, { style, width }))
    return exitCode.ok
  } finally {
    journal.close()
  }
}

function nothingOf({ plan, drill }: HistoryOptions): string {
  if (plan === undefined && drill === undefined) return 'Nothing has run yet.\n'
  // A name that nobody has, or had, must not look as if its runs had not begun.
  return `No run of ${drill === undefined ? `plan "${plan}"` : `drill "${drill}"`} is on record.\n`
}

function oneRun(journal: Journal, id: string, directory: string): RunRecord {
  const found = journal.runs({ id, limit: 6 }).filter((run) => run.id.startsWith(id))
  const exact = found.find((run) => run.id === id)
  const [first, ...more] = found
  if (exact) return exact
  if (!first) throw errors.RUN_UNKNOWN({ run: id, directory })
  if (more.length > 0) throw errors.RUN_AMBIGUOUS({ run: id, runs: found.map((run) => run.id).join(', ') })
  return first
}
