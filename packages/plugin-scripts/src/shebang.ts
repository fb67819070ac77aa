import { accessSync, constants, statSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'

/** How the system starts a file. */
export type Start =
  | { readonly kind: 'program' }
  /** As the kernel reads it: a program and at most one argument, spaces and all. */
  | { readonly kind: 'script'; readonly interpreter: string; readonly argument: string | undefined }
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'crlf' }

const byteOrderMark = '\u{feff}'

/**
 * Reads how a file is started from its first bytes.
 *
 * @param head - the first few hundred bytes at least
 */
export function readStart(head: Uint8Array): Start {
  if (head.length === 0) return { kind: 'unknown', reason: 'is empty' }
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 1024)).toString('utf8')
  if (!text.startsWith('#!')) {
    if (text.includes('\0')) return { kind: 'program' }
    const marked = text.startsWith(`${byteOrderMark}#!`)
    return { kind: 'unknown', reason: marked ? 'has a byte order mark before its shebang' : 'has no shebang (#!)' }
  }
  const [line = ''] = text.slice(2).split('\n', 1)
  if (line.endsWith('\r')) return { kind: 'crlf' }
  const [, interpreter = '', argument = ''] = /^[ \t]*([^ \t]*)[ \t]*(.*?)[ \t]*$/s.exec(line) ?? []
  if (interpreter === '') return { kind: 'unknown', reason: 'has a shebang (#!) that names no interpreter' }
  return { kind: 'script', interpreter, argument: argument === '' ? undefined : argument }
}

/**
 * What a shebang needs and the machine lacks: the interpreter, or the program that `env` is to find.
 *
 * @param path - the `PATH` that the script will have
 */
export function missingInterpreter(start: Start & { kind: 'script' }, path: string): string | undefined {
  if (!isAbsolute(start.interpreter) || !isProgram(start.interpreter)) return start.interpreter
  if (basename(start.interpreter) !== 'env' || start.argument === undefined) return undefined
  const program = programOfEnv(start.argument)
  return program === undefined || findProgram(program, path) !== undefined ? undefined : program
}

/** The program that `env` starts; `undefined` where its options leave that open. */
function programOfEnv(argument: string): string | undefined {
  const split = /^(?:-\w*S|--split-string(?:=|\s))\s*(.*)$/s.exec(argument)
  if (!split) return argument.startsWith('-') || argument.includes('=') ? undefined : argument
  const words = (split[1] ?? '').split(/\s+/).filter((word) => !word.includes('='))
  const [program] = words
  return program === undefined || /^-|["'\\$]/.test(program) ? undefined : program
}

/** Where a program is on a `PATH`. */
export function findProgram(name: string, path: string): string | undefined {
  if (name.includes('/')) return isProgram(name) ? name : undefined
  return path
    .split(':')
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find(isProgram)
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
