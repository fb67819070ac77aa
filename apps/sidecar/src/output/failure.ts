import type { HoldfastFailure } from '@holdfast/sdk'
import { formatPosition, type ConfigProblem, type FailureRecord } from '@holdfast/runtime'
import { listedProblems } from '../problems.ts'
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
  /** Where it is, of one that has no place in a file: `plan "shop", scripts`. */
  readonly place?: string | undefined
}

type Shown = HoldfastFailure | FailureRecord

/**
 * An error as a person needs it at night: what happened and where, what it means for the backups and what to do, where
 * to read more. Never a stack, unless asked for.
 *
 * @returns ends in a newline
 */
export function formatFailure(failure: Shown, options: FormatFailureOptions): string {
  const { style, debug } = options
  const problems = listedProblems(failure)
  const [only, ...more] = problems
  const lines =
    only && more.length === 0
      ? [heading(unplaced(only), options), ...details(only, options)]
      : problems.length > 0
        ? [heading(summary(failure, problems.length), options), ...problems.flatMap((each) => listItem(each, options))]
        : [heading(failure.message, options), ...details(failure, options)]
  if (debug && failure instanceof Error && failure.stack !== undefined) lines.push('', style.dim(stackOf(failure)))
  return `${lines.join('\n')}\n`
}

function heading(message: string, { style, label = 'error' }: FormatFailureOptions): string {
  const paint = label === 'error' ? style.red : style.yellow
  return `${paint(style.bold(`${label}:`))} ${printable(message)}`
}

/** What many problems are about. */
function summary({ message, details: given }: Shown, count: number): string {
  const about = given['source'] ?? given['path']
  return typeof about === 'string'
    ? `${about} has ${count} problems; nothing of it runs until they are mended`
    : message
}

function listItem(problem: ConfigProblem, options: FormatFailureOptions): readonly string[] {
  return ['', `  ${printable(unplaced(problem))}`, ...details(problem, options, '      ')]
}

/** A problem's message, without the place that is on a line of its own. */
function unplaced(problem: ConfigProblem): string {
  const place = formatPosition(problem)
  return place !== undefined && problem.message.startsWith(`${place}: `)
    ? problem.message.slice(place.length + 2)
    : problem.message
}

/** Everything below the first line. */
function details(failure: Shown | ConfigProblem, options: FormatFailureOptions, indent = '  '): readonly string[] {
  const { style } = options
  const place = 'file' in failure ? formatPosition(failure) : options.place
  const docs = 'docs' in failure ? failure.docs : `docs/errors.md#${failure.code.toLowerCase()}`
  return [
    ...(place === undefined ? [] : [`${indent}${style.cyan(`in ${printable(place)}`)}`]),
    ...(failure.hint === undefined ? [] : indented(printable(failure.hint), options, indent)),
    ...('cause' in failure ? causes(failure, options, indent) : []),
    `${indent}${style.dim(docs === undefined ? failure.code : `${failure.code}, see ${docs}`)}`,
  ]
}

/** The errors behind an error, where they say something new. */
function causes(failure: Shown, options: FormatFailureOptions, indent: string): readonly string[] {
  const lines: string[] = []
  let said = failure.message
  for (let cause: unknown = failure.cause; cause !== undefined && cause !== null;) {
    const message = cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : undefined
    if (message === undefined) break
    const [first = ''] = message.split('\n', 1)
    if (first !== '' && !said.includes(first)) {
      lines.push(...indented(`because: ${printable(first)}`, options, indent))
      said = first
    }
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return lines
}

function indented(text: string, { width }: FormatFailureOptions, indent: string): readonly string[] {
  return wrap(text, width && width - indent.length).map((line) => indent + line)
}

function stackOf(error: Error): string {
  const stacks: string[] = []
  for (let each: unknown = error; each instanceof Error; each = each.cause) stacks.push(each.stack ?? each.message)
  return stacks.join('\ncaused by ')
}
