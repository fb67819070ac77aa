import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import type { Runtime } from './runtimes.ts'

/** How a command ended: by itself, or by a signal. */
export interface ExecExit {
  readonly code: number | undefined
  readonly signal: NodeJS.Signals | undefined
}

/** A command that was started. */
export interface ExecProcess {
  readonly pid: number
  readonly stdin: Writable | undefined
  readonly stdout: Readable | undefined
  readonly stderr: Readable | undefined
  /** When it has ended and all that it wrote was read. */
  readonly closed: Promise<ExecExit>
  /** When it has ended. */
  readonly exited: Promise<void>
  readonly exit: ExecExit | undefined
  /** Whether any process of its group lives. */
  lives(): boolean
  /** To its whole group. */
  kill(signal: NodeJS.Signals): void
}

/** What to start, and which streams the client wants. */
export interface ExecCommand {
  readonly argv: readonly string[]
  readonly hostname: string
  readonly runtime: Runtime
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
}

/** A command that could not be started, in a container runtime's words. */
export class StartError extends Error {
  /** Set where it ends as if it had run: with 1, and this on stderr. */
  readonly stderr: string | undefined

  constructor(message: string, stderr?: string) {
    super(message)
    this.stderr = stderr
  }
}

/** @throws StartError when it can't be started */
export async function startProcess(command: ExecCommand): Promise<ExecProcess> {
  const { runtime, hostname } = command
  const [file, ...args] = command.argv
  if (file === undefined) throw refused('exec failed: args must not be empty')
  if (file === '' || (!runtime.shell && /^(.*\/)?(ba|da|a|z|k)?sh$/.test(file))) throw notFound(file)
  const pipe = (wanted: boolean): 'pipe' | 'ignore' => (wanted ? 'pipe' : 'ignore')
  let child
  try {
    child = spawn(file, args, {
      cwd: runtime.directory,
      env: { PATH: process.env['PATH'], HOME: runtime.directory, HOSTNAME: hostname, ...runtime.env },
      // A session of its own, as in a container; and a group that can be killed whole.
      detached: true,
      stdio: [pipe(command.stdin), pipe(command.stdout), pipe(command.stderr)],
    })
  } catch (error) {
    throw startError(file, error)
  }
  const { promise: closed, resolve } = Promise.withResolvers<ExecExit>()
  let exit: ExecExit | undefined
  const { promise: exited, resolve: ended } = Promise.withResolvers<void>()
  child.once('exit', (code, signal) => {
    exit = { code: code ?? undefined, signal: signal ?? undefined }
    ended()
  })
  child.once('close', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }))
  const { stdin, stdout, stderr } = child
  // It may end without reading what it is sent.
  stdin?.on('error', () => {})
  await new Promise<void>((started, failed) => {
    child.once('spawn', started)
    child.once('error', (error) => failed(startError(file, error)))
  })
  const pid = child.pid as number
  const signalGroup = (signal: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(-pid, signal)
    } catch {
      return false
    }
  }
  return {
    pid,
    stdin: stdin ?? undefined,
    stdout: stdout ?? undefined,
    stderr: stderr ?? undefined,
    closed,
    exited,
    get exit() {
      return exit
    },
    lives: () => signalGroup(0) && hasLiving(pid),
    kill: (signal) => void signalGroup(signal),
  }
}

/** Zombies take signals, too: where nobody collects orphans, a group of the dead never goes. */
function hasLiving(group: number): boolean {
  if (process.platform !== 'linux') return true
  return readdirSync('/proc').some((entry) => {
    if (!/^\d+$/.test(entry)) return false
    try {
      // After the name, which may contain anything: state, parent, group.
      const [state = '', , pgrp] = readFileSync(`/proc/${entry}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ')
      return Number(pgrp) === group && !'ZX'.includes(state)
    } catch {
      return false
    }
  })
}

/** The exit code that a shell shows, and the kubelet reports: 128 and the signal's number. */
export function exitCodeOf({ code, signal }: ExecExit): number {
  return code ?? 128 + (signal === undefined ? 0 : constants.signals[signal])
}

function startError(file: string, cause: unknown): StartError {
  const { code, message } = cause as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
      return notFound(file)
    case 'EACCES':
      return unable(`exec: "${file}": permission denied`)
    case 'E2BIG':
      return new StartError(message, `exec ${file}: argument list too long`)
    case undefined:
    default:
      return unable(message)
  }
}

function notFound(file: string): StartError {
  return unable(
    file.includes('/')
      ? `exec: "${file}": stat ${file}: no such file or directory`
      : `exec: "${file}": executable file not found in $PATH`,
  )
}

function unable(why: string): StartError {
  return refused(`exec failed: unable to start container process: ${why}`)
}

function refused(why: string): StartError {
  const id = '0'.repeat(64)
  return new StartError(
    `error executing command in container: failed to exec in container: failed to start exec "${id}": OCI runtime exec failed: ${why}: unknown`,
  )
}
