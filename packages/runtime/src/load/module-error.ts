import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Position } from './problems.ts'
import { reasonOf } from '../failure.ts'

/** What a module's failure comes to for a person: one line, and the place in their file. */
export interface ModuleError {
  readonly reason: string
  readonly position: Position | undefined
  /** The file can't be parsed. */
  readonly syntax: boolean
  /** What was imported and isn't there. */
  readonly missing: string | undefined
}

interface Thrown {
  readonly code?: string
  readonly stack?: string
  // What the resolve hook adds.
  readonly specifier?: string
  readonly importer?: string
  // What jiti's resolution adds.
  readonly requireStack?: readonly string[]
}

/**
 * Finds out what went wrong in a module, and where.
 *
 * @param thrown - what importing it rejected with
 * @param file - the module
 * @param files - the files of the user's: a stack's first line in one of them is the place
 */
export async function describeModuleError(
  thrown: unknown,
  file: string,
  files: ReadonlySet<string>,
): Promise<ModuleError> {
  const error = Object(thrown) as Thrown
  const missing = missingModule(error, thrown)
  if (missing !== undefined) return missing
  const compiled = parseError(reasonOf(thrown), thrown)
  if (compiled !== undefined) return compiled
  if (thrown instanceof SyntaxError) {
    const position = header(error.stack) ?? (await parsePosition(file, files))
    // A missing export is a syntax error to Node, and says so itself.
    const parsed = reasonOf(thrown).includes('does not provide an export')
    const reason = parsed ? reasonOf(thrown) : `it can't be parsed: ${lower(reasonOf(thrown))}`
    return { reason, position, syntax: !parsed, missing: undefined }
  }
  const name = thrown instanceof Error && thrown.name !== 'Error' ? `${thrown.name}: ` : ''
  const position = header(error.stack) ?? frame(error.stack, files) ?? { file }
  return { reason: `${name}${reasonOf(thrown)}`, position, syntax: false, missing: undefined }
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function missingModule(error: Thrown, thrown: unknown): ModuleError | undefined {
  const importer = error.importer?.startsWith('file:') ? fileURLToPath(error.importer) : error.requireStack?.[0]
  const missing = error.specifier ?? /^Cannot find module '([^']+)'/.exec(reasonOf(thrown))?.[1]
  if (missing === undefined || importer === undefined) return undefined
  const notFound = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND'
  const reason = notFound ? `"${missing}", which it imports, was not found` : reasonOf(thrown)
  return { reason, position: find(importer, missing), syntax: false, missing }
}

// Where a file names a module.
function find(file: string, specifier: string): Position {
  const text = readText(file)
  const index = [`'${specifier}'`, `"${specifier}"`].map((quoted) => text.indexOf(quoted)).find((at) => at >= 0)
  if (index === undefined) return { file }
  const before = text.slice(0, index).split('\n')
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

// Node puts `file:line`, the line and carets before the stack of a syntax error.
function header(stack = ''): Position | undefined {
  const [first = '', ...rest] = stack.split('\n')
  const match = /^(\/.+|file:.+):(\d+)$/.exec(first)
  if (match?.[1] === undefined) return undefined
  const caret = rest.find((line) => /^\s*\^+\s*$/.test(line))
  return {
    file: path(match[1]),
    line: Number(match[2]),
    column: caret === undefined ? undefined : caret.indexOf('^') + 1,
  }
}

// The first line of a stack that is in one of the user's files.
function frame(stack = '', files: ReadonlySet<string>): Position | undefined {
  for (const line of stack.split('\n')) {
    const match = /\(?((?:file:)?\/[^\s()]+):(\d+):(\d+)\)?$/.exec(line)
    const file = match?.[1] === undefined ? undefined : path(match[1])
    if (file !== undefined && files.has(file)) return { file, line: Number(match?.[2]), column: Number(match?.[3]) }
  }
  return undefined
}

function path(text: string): string {
  return text.startsWith('file:') ? fileURLToPath(text) : text.replace(/\?holdfast=\d+$/, '')
}

// jiti's parser counts columns from 0 and says the place in its message.
function parseError(reason: string, thrown: unknown): ModuleError | undefined {
  const what = /^ParseError: (.+?)\s*$/.exec(reason)?.[1]
  if (what === undefined || !(thrown instanceof Error)) return undefined
  const match = /\n\s*(\/.+):(\d+):(\d+)\s*$/.exec(thrown.message)
  const position =
    match?.[1] === undefined ? undefined : { file: match[1], line: Number(match[2]), column: Number(match[3]) + 1 }
  return { reason: `it can't be parsed: ${lower(what)}`, position, syntax: true, missing: undefined }
}

// Node does not say where in a JavaScript module a syntax error is: another parser does.
async function parsePosition(file: string, files: ReadonlySet<string>): Promise<Position> {
  const { createJiti } = await import('jiti')
  for (const candidate of new Set([file, ...files])) {
    const code = createJiti(candidate, { fsCache: false }).transform({ source: readText(candidate), async: true })
    const found = /__JITI_ERROR__ = (\{.*\})/.exec(code)?.[1]
    if (found === undefined) continue
    const { line, column } = JSON.parse(found) as { readonly line: number; readonly column: number }
    return { file: candidate, line, column: column + 1 }
  }
  return { file }
}
