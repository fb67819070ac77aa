import type { HoldfastFailure } from '@holdfast/sdk'
import { problemsOf, formatPosition, type ConfigProblem, type FailureRecord } from '@holdfast/runtime'
import { printable } from './printable.ts'
import type { Style } from './style.ts'
import { wrap } from './wrap.ts'

/** Options of {@link formatFailure}. */
export interface FormatFailureOptions {
  readonly style: Style
  readonly width?: number | undefined
  /** Prints the stack: for those who look for a fault in Holdfast or in a plugin. */
  readonly debug?: boolean | undefined
  /** What stands before the message. Default `error`. */
  readonly label?: 'error' | 'warning' | undefined
}

type Shown = HoldfastFailure | FailureRecord

/**
 * An error as a person needs it at night: what happened, what it means for the backups and what to do, where to read
 * more. Never a stack, unless asked for.
 *
 * @returns ends in a newline
 */
export function formatFailure(failure: Shown, options: FormatFailureOptions): string {
  const { style, debug, label = 'error' } = options
  const paint = label === 'error' ? style.red : style.yellow
  const problems = problemsOf(failure)
  const lines = [`${paint(style.bold(`${label}:`))} ${printable(failure.message)}`]
  if (problems.length > 0) {
    for (const problem of problems) lines.push('', ...problemLines(problem, options))
    lines.push('')
  }
  if (failure.hint !== undefined) lines.push(...indented(printable(failure.hint), options))
  lines.push(...causeLines(failure, options), `  ${style.dim(reference(failure))}`)
  if (debug && failure instanceof Error && failure.stack !== undefined) lines.push('', style.dim(stackOf(failure)))
  return `${lines.join('\n')}\n`
}

/** What is wrong in one place of a configuration. */
function problemLines(problem: ConfigProblem, options: FormatFailureOptions): readonly string[] {
  const { style } = options
  const where = formatPosition(problem) ?? problem.path
  const at = where === undefined ? '' : `${style.cyan(printable(where))}  `
  return [
    `  ${at}${printable(problem.message)}`,
    ...(problem.hint === undefined ? [] : indented(printable(problem.hint), options, '      ')),
    `      ${style.dim(problem.code)}`,
  ]
}

/** The errors behind an error, where they say something new. */
function causeLines(failure: Shown, options: FormatFailureOptions): readonly string[] {
  const lines: string[] = []
  let said = failure.message
  for (let cause: unknown = failure.cause; cause !== undefined && cause !== null;) {
    const message = cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : undefined
    if (message === undefined) break
    const [first = ''] = message.split('\n', 1)
    if (first !== '' && !said.includes(first)) {
      lines.push(...indented(`because: ${printable(first)}`, options))
      said = first
    }
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return lines
}

function indented(text: string, { width }: FormatFailureOptions, indent = '  '): readonly string[] {
  return wrap(text, width && width - indent.length).map((line) => indent + line)
}

function reference({ code, docs }: Shown): string {
  return docs === undefined ? code : `${code}, see ${docs}`
}

function stackOf(error: Error): string {
  const causes: string[] = []
  for (let each: unknown = error; each instanceof Error; each = each.cause) causes.push(each.stack ?? each.message)
  return causes.join('\ncaused by ')
}
