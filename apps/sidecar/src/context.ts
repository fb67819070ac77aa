import type { HoldfastFailure } from '@holdfast/sdk'
import { createLogger, createRedactor, recordFailure, type Redactor, type RuntimeLogger } from '@holdfast/runtime'
import type { Io } from './io.ts'
import { formatFailure } from './output/failure.ts'
import { formatJson } from './output/format.ts'
import { createScreen, type Screen } from './output/screen.ts'
import { hasColors, styleFor, type Style } from './output/style.ts'
import { listedProblems } from './problems.ts'
import { readSettings, type GlobalOptions, type Settings } from './settings.ts'

/** What every command gets. */
export interface CommandContext {
  readonly io: Io
  readonly settings: Settings
  readonly redactor: Redactor
  /** Goes to standard error: what a command answers with is alone on standard output. */
  readonly log: RuntimeLogger
  /** For standard output. */
  readonly style: Style
  /** Standard error; everything that goes there goes through it. */
  readonly screen: Screen
  /** For standard error. */
  readonly screenStyle: Style
  /** Characters per line of standard output. */
  readonly width: number | undefined
  /** Prints text for people. */
  print(text: string): void
  /** Prints the answer of `--json`: one document. */
  printJson(value: unknown): void
  /** Says on standard error what is odd, but stops nothing. */
  warn(failure: HoldfastFailure): void
  /**
   * Says why the command ends without its answer.
   *
   * @param place - where it is, where the failure itself doesn't say so
   */
  fail(failure: HoldfastFailure, place?: string): void
}

/** Commands whose standard error is a log, to its last line. */
const logging: ReadonlySet<string> = new Set(['daemon', 'run'])

function logProblems(log: RuntimeLogger, failure: HoldfastFailure): void {
  const problems = listedProblems(failure)
  for (const { message, ...fields } of problems) log.error(message, fields)
  if (problems.length === 0) log.error(failure.message, { error: failure })
}

/**
 * Builds the context of one command.
 *
 * @param command - its name, with those of the commands above it: `undo run`
 * @throws HoldfastError `OPTION_INVALID`
 */
export function createContext(io: Io, options: GlobalOptions, command?: string): CommandContext {
  const settings = readSettings(options, io)
  const redactor = createRedactor()
  const { stdout, env } = io
  const screen = createScreen(io.stderr)
  const style = styleFor(stdout, env)
  const screenStyle = styleFor(screen, env)
  const { logFormat: format, logLevel: level } = settings
  const debug = level === 'debug'
  const log = createLogger({
    level,
    format,
    redactor,
    destination: { write: (line) => screen.write(line) },
    colors: hasColors(screen, env),
    now: () => io.clock.now(),
  })
  const show = (failure: HoldfastFailure, label: 'error' | 'warning', place?: string): void => {
    const { columns: width } = screen
    screen.write(redactor.text(formatFailure(failure, { style: screenStyle, width, debug, label, place })))
  }

  return {
    io,
    settings,
    redactor,
    log,
    style,
    screen,
    screenStyle,
    width: stdout.columns,
    print: (text) => stdout.write(redactor.text(text)),
    printJson: (value) => stdout.write(formatJson(redactor.value(value))),
    warn(failure) {
      if (format === 'json') log.warn(failure.message, { error: failure })
      else show(failure, 'warning')
    },
    fail(failure, place) {
      if (settings.json) stdout.write(formatJson({ error: redactor.value(recordFailure(failure)) }))
      else if (format === 'json' && command !== undefined && logging.has(command)) logProblems(log, failure)
      else show(failure, 'error', place)
    },
  }
}
