import type { Logger } from '@holdfast/sdk'
import { destination as openDestination, pino } from 'pino'
import { cutStrings } from './log-cut.ts'
import { formatForTerminal, type LogRecord } from './log-pretty.ts'
import type { Redactor } from './redaction.ts'

/** From the most to the least. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** The SDK's logger, with bindings. */
export interface RuntimeLogger extends Logger {
  /** A logger that adds these fields to every line. */
  child(bindings: Readonly<Record<string, unknown>>): RuntimeLogger
}

/** Takes finished lines, newline included, one at a time. */
export interface LogDestination {
  write(line: string): void
}

/** Options of {@link createLogger}. */
export interface CreateLoggerOptions {
  /** Lines below it are not written. */
  readonly level: LogLevel
  /** `json`: one object per line, for machines; `pretty`: for terminals. */
  readonly format: 'json' | 'pretty'
  readonly redactor: Redactor
  /** @defaultValue standard output, written synchronously: the last line before an exit arrives */
  readonly destination?: LogDestination | undefined
  readonly bindings?: Readonly<Record<string, unknown>> | undefined
  /** Whether the pretty form uses colours. @defaultValue false */
  readonly colors?: boolean | undefined
  /** @defaultValue the machine's time */
  readonly now?: (() => Date) | undefined
}

/** Bytes of the longest line, newline included: container runtimes cut longer ones, which breaks their JSON. */
export const longestLine = 16 * 1024

/** How long a string of an overlong line may be; tried in turn until the line fits. */
const stringLimits = [4096, 1024, 256, 64, 16]
const ranks: Record<LogLevel, number> = { debug: 20, info: 30, warn: 40, error: 50, silent: Infinity }
/** Names that a line has already; a field of that name gets an underscore behind it. */
const reserved = new Set(['level', 'time', 'msg'])

/**
 * Creates a logger. Every string of every line is redacted; errors in fields are written with code, message, hint and
 * causes, and with their stack only at level `debug`; a line over 16 KiB is shortened and says by how much.
 *
 * @example
 * ```ts
 * const log = createLogger({ level: 'info', format: 'json', redactor: createRedactor() })
 * log.child({ plan: 'nightly' }).info('backup begins', { targets: 3 })
 * ```
 */
export function createLogger(options: CreateLoggerOptions): RuntimeLogger {
  const { level, redactor, now = () => new Date() } = options
  const destination = options.destination ?? openDestination({ dest: 1, sync: true })
  const format = options.format === 'json' ? jsonFormatter(level) : prettyFormatter(options.colors ?? false)

  const write = (at: Exclude<LogLevel, 'silent'>, message: string, fields: Record<string, unknown>): void => {
    const time = now()
    const msg = redactor.text(message)
    const safe = redactor.value(fields, { stack: level === 'debug' }) as Record<string, unknown>
    let line = format({ level: at, time, msg, fields: safe })
    for (const limit of stringLimits) {
      if (fits(line)) break
      line = format({ level: at, time, msg: cutStrings(msg, limit), fields: cutStrings(safe, limit) })
    }
    if (!fits(line)) {
      const bytes = Buffer.byteLength(line)
      line = format({ level: at, time, msg: cutStrings(msg, 1024), fields: { cut: `fields of ${bytes} bytes` } })
    }
    destination.write(line)
  }

  const make = (bindings: Readonly<Record<string, unknown>>): RuntimeLogger => {
    const logAt =
      (at: Exclude<LogLevel, 'silent'>) =>
      (message: string, fields?: Record<string, unknown>): void => {
        if (ranks[at] >= ranks[level]) write(at, message, { ...bindings, ...rename(fields) })
      }
    return {
      debug: logAt('debug'),
      info: logAt('info'),
      warn: logAt('warn'),
      error: logAt('error'),
      child: (more) => make({ ...bindings, ...rename(more) }),
    }
  }
  return make(rename(options.bindings))
}

type Formatter = (record: LogRecord) => string

function jsonFormatter(level: LogLevel): Formatter {
  let line = ''
  let time = ''
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"time":"${time}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (text: string) => void (line = text) },
  )
  return (record) => {
    time = record.time.toISOString()
    logger[record.level](record.fields, record.msg)
    return line
  }
}

function prettyFormatter(colors: boolean): Formatter {
  return (record) => formatForTerminal(record, colors)
}

function rename(fields: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields ?? {})) out[reserved.has(key) ? `${key}_` : key] = value
  return out
}

function fits(line: string): boolean {
  return line.length * 3 <= longestLine || Buffer.byteLength(line) <= longestLine
}
