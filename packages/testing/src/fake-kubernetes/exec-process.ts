import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import type { Runtime } from './pods.ts'

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

/** @throws StartError when it can't be started */
export async function startProcess({
  argv,
  hostname,
  runtime,
  stdin,
  stdout,
  stderr,
}: ExecCommand): Promise<ExecProcess> {
  const [file = '', ...args] = argv
  if (!runtime.shell && /^(.*\/)?(ba|da|a|z|k)?sh$/.test(file)) throw notFound(file)
  const pipe = (wanted: boolean): 'pipe' | 'ignore' => (wanted ? 'pipe' : 'ignore')
  let child
  try {
    child = spawn(file, args, {
      cwd: runtime.directory,
      env: { PATH: process.env['PATH'], HOSTNAME: hostname, ...runtime.env },
      // A session of its own, as in a container; and a group that can be killed whole.
      detached: true,
      stdio: [pipe(stdin), pipe(stdout), pipe(stderr)],
    })
  } catch (error) {
    throw startError(file, error)
  }
  const { promise: closed, resolve } = Promise.withResolvers<ExecExit>()
  child.once('close', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }))
  let exit: ExecExit | undefined
  child.once('exit', (code, signal) => (exit = { code: code ?? undefined, signal: signal ?? undefined }))
  await new Promise<void>((started, failed) => {
    child.once('spawn', started)
    child.once('error', (error) => failed(startError(file, error)))
  })
  const pid = child.pid as number
  // It may end without reading what it is sent.
  child.stdin?.on('error', () => {})
  const signalGroup = (signal: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(-pid, signal)
    } catch {
      return false
    }
  }
  return {
    pid,
    stdin: child.stdin ?? undefined,
    stdout: child.stdout ?? undefined,
    stderr: child.stderr ?? undefined,
    closed,
    get exit() {
      return exit
    },
    lives: () => signalGroup(0),
    kill: (signal) => void signalGroup(signal),
  }
}

/** What a container runtime says of a command that it can't start. */
export class StartError extends Error {}

/** The exit code that a shell shows, and the kubelet reports: 128 and the signal's number. */
export function exitCodeOf({ code, signal }: ExecExit): number {
  return code ?? 128 + (signal === undefined ? 0 : constants.signals[signal])
}

function startError(file: string, cause: unknown): StartError {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === 'ENOENT') return notFound(file)
  const why: Readonly<Record<string, string>> = {
    EACCES: `exec: "${file}": permission denied`,
    E2BIG: 'exec failed: argument list too long',
    ERR_INVALID_ARG_VALUE: 'exec failed: invalid argument',
  }
  return refused(why[code ?? ''] ?? message)
}

function notFound(file: string): StartError {
  return refused(
    file.includes('/')
      ? `exec: "${file}": stat ${file}: no such file or directory`
      : `exec: "${file}": executable file not found in $PATH`,
  )
}

function refused(why: string): StartError {
  return new StartError(
    `error executing command in container: failed to exec in container: failed to start exec ` +
      `"${'0'.repeat(64)}": OCI runtime exec failed: exec failed: unable to start container process: ${why}: unknown`,
  )
}
