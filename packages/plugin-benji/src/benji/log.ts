import type { Logger } from '@holdfast/sdk'
import { readProgress } from './events.ts'
import { createLineSink, type LineSink } from './lines.ts'

/** Levels of Benji's log, as its option has them. */
export type BenjiLogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR'

/** One record of Benji's log. */
export interface BenjiEvent {
  readonly level: 'debug' | 'info' | 'warning' | 'error'
  /** What it says; the first line, if it goes on with SQL or a stack. */
  readonly event: string
}

/** Options of {@link createBenjiLog}. */
export interface CreateBenjiLogOptions {
  /** Where the records go on to. */
  readonly log: Logger
  /** Records below it are read and not passed on. Default `'INFO'`. */
  readonly level?: BenjiLogLevel | undefined
  readonly onEvent?: ((event: BenjiEvent) => void) | undefined
}

/** What Benji says on standard error: records as JSON, and between them lines of Python and of Ceph. */
export interface BenjiLog {
  readonly sink: LineSink
  /** The last record of an error; else the last line that was none at all, which is what argparse says. */
  readonly lastWords: string
}

const ranks = { debug: 0, info: 1, warning: 2, error: 3 } as const
type Level = keyof typeof ranks

/** Benji logs its whole SQL with an error of its database. */
const longestEvent = 2000

/** Creates a {@link BenjiLog}. Progress is passed on at debug level: there may be hundreds of records of it. */
export function createBenjiLog({ log, level = 'INFO', onEvent }: CreateBenjiLogOptions): BenjiLog {
  const threshold = ranks[level.toLowerCase() as Level]
  let lastError: string | undefined
  let lastLine: string | undefined

  const record = ({ level: of, event }: BenjiEvent, from: Record<string, unknown>): void => {
    if (of === 'error') lastError = event
    onEvent?.({ level: of, event })
    if (ranks[of] < threshold) return
    if (of === 'error') log.error(event, from)
    else if (of === 'warning') log.warn(event, from)
    else if (of === 'debug' || readProgress(event)) log.debug(event, from)
    else log.info(event, from)
  }

  return {
    sink: createLineSink((line) => {
      const parsed = readRecord(line)
      if (parsed) return record(parsed, { from: 'benji' })
      if (line.trim() === '') return
      lastLine = line.trim().slice(0, longestEvent)
      if (threshold <= ranks.info) log.info(lastLine, { from: 'benji' })
    }),
    get lastWords() {
      return lastError ?? lastLine ?? ''
    },
  }
}

/** A line that is no record of Benji's is no mistake of anybody's (K17). */
function readRecord(line: string): BenjiEvent | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const { event, level, exception } = JSON.parse(line) as Record<string, unknown>
    if (typeof event !== 'string' || typeof level !== 'string' || !Object.hasOwn(ranks, level)) return undefined
    return { level: level as Level, event: wordsOf(event, exception) }
  } catch {
    return undefined
  }
}

/** What went wrong before Benji began is in the last line of its stack alone. */
function wordsOf(event: string, exception: unknown): string {
  const [first = ''] = event.trim().split('\n', 1)
  if (event !== 'Uncaught exception' || typeof exception !== 'string') return first.slice(0, longestEvent)
  return (exception.trim().split('\n').at(-1) ?? first).slice(0, longestEvent)
}
