import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import type { HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'

/** A start that failed, as Node says it. */
export interface LaunchFailure {
  /** Of the system call: `ENOENT`, `EACCES`, … */
  readonly code: string | undefined
  readonly message: string
  readonly cause: unknown
  readonly file: string
  readonly cwd: string | undefined
  readonly env: NodeJS.ProcessEnv
}

/**
 * Why a command could not be started. The system says `ENOENT` for a missing program, a missing interpreter of a
 * script that is there, and a missing working directory: this looks which it was.
 */
export function launchError(failure: LaunchFailure): HoldfastError {
  const { code, message, cause, file, cwd } = failure
  const command = file
  const options = { cause }
  if (cwd !== undefined && !isDirectory(cwd)) {
    return errors.EXEC_NOT_FOUND({ command, missing: `the working directory ${cwd} does not exist` }, options)
  }
  const path = find(failure)
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return errors.EXEC_NOT_FOUND({ command, missing: whatIsMissing(file, path) }, options)
    case 'EACCES':
      return errors.EXEC_NOT_EXECUTABLE({ command, reason: whyNotExecutable(path) }, options)
    case 'ENOEXEC':
      return errors.EXEC_FORMAT({ command, reason: 'it is no program for this machine' }, options)
    default:
      return errors.EXEC_START({ command, reason: code ?? message }, options)
  }
}

/**
 * Refuses a text file without `#!`, which some C libraries hand to /bin/sh and others don't.
 *
 * @param file - only looked at when it is a path
 * @throws HoldfastError `EXEC_FORMAT`
 */
export function requireInterpreter(file: string, cwd: string | undefined): void {
  if (!file.includes('/')) return
  const head = headOf(cwd === undefined ? file : resolve(cwd, file))
  // What has a zero byte is a program, and the kernel knows whether it can run it.
  if (head === undefined || head.startsWith('#!') || head.includes('\0')) return
  throw errors.EXEC_FORMAT({ command: file, reason: 'it is a script without #! in its first line' })
}

function whatIsMissing(file: string, path: string | undefined): string {
  if (path === undefined) return file.includes('/') ? 'there is no such file' : 'there is no such program in PATH'
  const [line = ''] = (headOf(path) ?? '').split('\n', 1)
  if (!line.startsWith('#!')) return 'the loader that this program needs is not there'
  const interpreter = line.slice(2).trim().split(/\s/, 1)[0] ?? ''
  if (line.endsWith('\r')) {
    return `its lines end in CR LF, so the interpreter "${interpreter}" is looked for with a carriage return behind it; convert it with dos2unix`
  }
  return `its interpreter ${interpreter} is not there`
}

function whyNotExecutable(path: string | undefined): string {
  if (path === undefined) return 'its directory may not be entered'
  if (isDirectory(path)) return 'it is a directory'
  if ((statSync(path).mode & 0o111) === 0) return 'it has no execute bit'
  const [line = ''] = (headOf(path) ?? '').split('\n', 1)
  if (!isExecutable(path)) return 'its execute bit is not for this user'
  if (line.startsWith('#!')) return `its interpreter ${line.slice(2).trim()} may not be executed`
  return 'the file system it is on does not allow it'
}

/** The file that would be run; `undefined` when there is none. */
function find({ file, cwd, env }: LaunchFailure): string | undefined {
  const base = cwd ?? process.cwd()
  const places = file.includes('/')
    ? [resolve(base, file)]
    : (env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin')
        .split(delimiter)
        .map((directory) => join(resolve(base, directory), file))
  return places.find((path) => statSync(path, { throwIfNoEntry: false }) !== undefined)
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The first bytes of a file, as they are; `undefined` when it can't be read: starting it says why. */
function headOf(path: string): string | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const buffer = Buffer.alloc(256)
      return buffer.toString('latin1', 0, readSync(fd, buffer))
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined
  }
}
