import { HoldfastError, type HoldfastFailure, type Json } from '@holdfast/sdk'
import { errors } from '../errors.ts'

/** Keys and list positions from the top of the configuration. */
export type Path = readonly (string | number)[]

/** A place in a file; lines and columns count from 1. */
export interface Position {
  readonly file: string
  readonly line?: number | undefined
  readonly column?: number | undefined
}

/** Finds the key or the value at a path in the file that the configuration came from. */
export type Locate = (path: Path, part: 'key' | 'value') => Position | undefined

/** One thing that is wrong with a configuration: an entry of `details.problems` of `CONFIG_INVALID`. */
export interface ConfigProblem {
  readonly code: string
  /** One line. */
  readonly message: string
  readonly hint?: string | undefined
  readonly file?: string | undefined
  /** From 1. */
  readonly line?: number | undefined
  /** From 1. */
  readonly column?: number | undefined
  /** As the user wrote it: `plans.shop.use[0]`. */
  readonly path?: string | undefined
}

/** Where a problem is: its path, and its place when that isn't the path's own. */
export interface Where {
  readonly path?: Path | undefined
  /** The key is wrong, not its value. */
  readonly part?: 'key' | 'value' | undefined
  /** Default: what the path is located at. */
  readonly position?: Position | undefined
}

/** Gathers everything that is wrong, so that all of it can be said at once. */
export interface Problems {
  add(error: HoldfastFailure, where?: Where): void
  /** An error that was thrown: the problems that it lists, if it does. */
  addAll(error: HoldfastFailure): void
  /** Something that doesn't stop anything, but should be looked at. */
  warn(error: HoldfastFailure, where?: Where): void
  readonly problems: readonly ConfigProblem[]
  readonly warnings: readonly HoldfastFailure[]
}

/** An empty collection; paths are located in the configuration's file. */
export function collectProblems(locate: Locate): Problems {
  const problems: ConfigProblem[] = []
  const warnings: HoldfastFailure[] = []

  function place({ path, part, position }: Where): Omit<ConfigProblem, 'code' | 'message' | 'hint'> {
    const found = position ?? (path && locate(path, part ?? 'value'))
    return {
      ...(found && { file: found.file, line: found.line, column: found.column }),
      ...(path && path.length > 0 && { path: formatPath(path) }),
    }
  }

  return {
    problems,
    warnings,
    add(error, where = {}) {
      problems.push({ code: error.code, message: error.message, hint: error.hint, ...place(where) })
    },
    addAll({ code, message, hint, details }) {
      const all = details['problems']
      if (Array.isArray(all)) problems.push(...(all as unknown as readonly ConfigProblem[]))
      else problems.push({ code, message, hint, ...placeIn(details) })
    },
    warn({ code, message, hint, docs, details }, where = {}) {
      warnings.push(new HoldfastError({ code, message, hint, docs, details: { ...details, ...place(where) } }))
    },
  }
}

function placeIn({ file, line, column }: HoldfastFailure['details']): Partial<Position> {
  return {
    ...(typeof file === 'string' && { file }),
    ...(typeof line === 'number' && { line }),
    ...(typeof column === 'number' && { column }),
  }
}

/** A path as a person would write it: `plans.shop.use[0]`, with odd keys in quotes. */
export function formatPath(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`
      if (!/^[\w-]+$/.test(part)) return `[${JSON.stringify(part)}]`
      return index === 0 ? part : `.${part}`
    })
    .join('')
}

/** `file:line:column` as far as it is known; `undefined` for a problem without a file. */
export function formatPosition({ file, line, column }: Partial<Position>): string | undefined {
  return file === undefined ? undefined : [file, line, column].filter((part) => part !== undefined).join(':')
}

/**
 * The one error for everything that is wrong.
 *
 * @param source - the file, or `environment`
 * @param files - what was read on the way, so that a fix is noticed
 */
export function invalidConfig(
  source: string,
  problems: readonly ConfigProblem[],
  files: readonly string[],
): HoldfastError {
  // As they are met in the file; what is in other files comes after it.
  const place = ({ file, line = 0, column = 0 }: ConfigProblem): readonly [string, number, number] => [
    file === source ? '' : (file ?? ''),
    line,
    column,
  ]
  const sorted = problems.toSorted((a, b) => compare(place(a), place(b)))
  const [first] = sorted
  return errors.CONFIG_INVALID(
    { source, count: problems.length, first: first ? withPosition(first) : '' },
    { details: { problems: sorted as unknown as Json, files } },
  )
}

/** A problem in one line, its place before it. */
export function withPosition(problem: ConfigProblem): string {
  const { message } = problem
  const at = formatPosition(problem)
  // Some messages say their place, or name the file, themselves.
  return at === undefined || message.includes(problem.file ?? at) ? message : `${at}: ${message}`
}

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  const index = a.findIndex((part, at) => part !== b[at])
  const [left = 0, right = 0] = [a[index], b[index]]
  return index < 0 ? 0 : left < right ? -1 : 1
}

/** The problems of a `CONFIG_INVALID` error; none for any other. */
export function problemsOf(error: Pick<HoldfastFailure, 'code' | 'details'>): readonly ConfigProblem[] {
  return error.code === errors.CONFIG_INVALID.code ? (error.details['problems'] as unknown as ConfigProblem[]) : []
}
