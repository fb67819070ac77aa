import { PassThrough } from 'node:stream'
import { systemClock, type RuntimeClock } from '@holdfast/runtime'
import type { Fault, Io, Signal, Terminal } from '../../src/io.ts'
import { runHoldfast } from '../../src/main.ts'
import { commandDirectory } from '../../src/modules.ts'

/** How a command is called in a test. */
export interface CliOptions {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  /** Makes standard output and error a terminal of this width. */
  readonly columns?: number
  readonly clock?: RuntimeClock
  /** What a person types. */
  readonly answer?: string
}

/** What a command did. */
export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A command that goes on. */
export interface RunningCli {
  readonly result: Promise<CliResult>
  signal(signal: Signal): void
  fault(fault: Fault): void
  stdout(): string
  stderr(): string
}

// The plugin reads it from the process, as the command's own entry sets it.
process.env['HOLDFAST_BIN'] = commandDirectory
process.env['TARGET_CONTAINER'] ??= 'app'
process.env['POD_NAME'] ??= 'pod'

/** An {@link Io} that a test owns, and what was written to it. */
export function testIo({ cwd, env = {}, columns, clock = systemClock, answer }: CliOptions): {
  readonly io: Io
  readonly running: Omit<RunningCli, 'result'>
} {
  const written = { stdout: '', stderr: '' }
  const signals = new Set<(signal: Signal) => void>()
  const faults = new Set<(fault: Fault) => void>()
  const terminal = (name: 'stdout' | 'stderr'): Terminal => ({
    write: (text) => void (written[name] += text),
    isTTY: columns !== undefined,
    columns,
  })
  const stdin = Object.assign(new PassThrough(), { isTTY: answer !== undefined })
  stdin.end(answer === undefined ? '' : `${answer}\n`)
  const io: Io = {
    stdout: terminal('stdout'),
    stderr: terminal('stderr'),
    writeBytes: async (chunk) => void (written.stdout += Buffer.from(chunk).toString('latin1')),
    printed: async () => undefined,
    stdin,
    // Daemons of tests that run at once would want the same port.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1', HOLDFAST_LISTEN: '0', ...env },
    cwd,
    clock,
    onSignal: (listener) => {
      signals.add(listener)
      return () => signals.delete(listener)
    },
    onFault: (listener) => {
      faults.add(listener)
      return () => faults.delete(listener)
    },
  }
  return {
    io,
    running: {
      signal: (signal) => signals.forEach((listener) => listener(signal)),
      fault: (fault) => faults.forEach((listener) => listener(fault)),
      stdout: () => written.stdout,
      stderr: () => written.stderr,
    },
  }
}

/** Starts a command of `holdfast` in this process. */
export function startCli(args: readonly string[], options: CliOptions): RunningCli {
  const { io, running } = testIo(options)
  const result = runHoldfast(args, io).then((code) => ({
    code,
    stdout: running.stdout(),
    stderr: running.stderr(),
  }))
  return { ...running, result }
}

/** Runs a command of `holdfast` in this process. */
export async function cli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return startCli(args, options).result
}
