import type { Readable } from 'node:stream'
import { createByteWriter, systemClock, type ByteWriter, type RuntimeClock } from '@holdfast/runtime'

/** A stream that text goes to, and what is known of the screen behind it. */
export interface Terminal {
  write(text: string): void
  readonly isTTY: boolean
  /** Characters per line; `undefined` where it isn't a screen. */
  readonly columns: number | undefined
}

/** The signals that a command listens to. */
export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

/** The process as commands see it: handed in, so that a test can run a command without a process of its own. */
export interface Io {
  readonly stdout: Terminal
  readonly stderr: Terminal
  /** Writes bytes to standard output, whole; waits as long as the reader does. Rejects when it has gone. */
  writeBytes(chunk: Uint8Array): Promise<void>
  /** Resolves when what was printed has arrived, or never will: with the reason then, unless its reader went away. */
  printed(): Promise<Error | undefined>
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly clock: RuntimeClock
  /** @returns stops listening */
  onSignal(listener: (signal: Signal) => void): () => void
  /**
   * Hears of errors that nobody handled: rejections that a hook forgot, and exceptions out of nowhere. Without a listener
   * they end the process.
   *
   * @returns stops listening
   */
  onFault(listener: (fault: Fault) => void): () => void
}

/** An error that nobody handled. */
export interface Fault {
  readonly kind: 'rejection' | 'exception'
  readonly error: unknown
}

/** This process. */
export function processIo(): Io {
  const lost = outliveOutputs()
  let writer: ByteWriter | undefined
  return {
    stdout: terminalOf(process.stdout),
    stderr: terminalOf(process.stderr),
    async writeBytes(chunk) {
      writer ??= createByteWriter(1)
      await writer(chunk)
    },
    async printed() {
      await flushed(process.stdout)
      return lost()
    },
    get stdin() {
      return process.stdin
    },
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    onSignal,
    onFault(listener) {
      const rejected = (error: unknown): void => listener({ kind: 'rejection', error })
      const thrown = (error: unknown): void => listener({ kind: 'exception', error })
      process.on('unhandledRejection', rejected).on('uncaughtException', thrown)
      return () => void process.off('unhandledRejection', rejected).off('uncaughtException', thrown)
    },
  }
}

/** Hears the signals that ask this process to end. @returns stops listening */
export function onSignal(listener: (signal: Signal) => void): () => void {
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}

/**
 * Ends this process: a hook that was left behind, or a socket that it left open, must not keep it. What was printed
 * arrives first.
 */
export async function endProcess(code: number): Promise<void> {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)])
  process.exit(code)
}

function terminalOf(stream: NodeJS.WriteStream): Terminal {
  return {
    write: (text) => void stream.write(text),
    get isTTY() {
      return stream.isTTY
    },
    get columns() {
      // A terminal that doesn't know its size says 0.
      return stream.isTTY ? stream.columns || 80 : undefined
    },
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write('', () => resolve()))
}

/**
 * What can't be printed ends nothing: a reader that went away (`holdfast list | head`), a terminal that was hung up, a full
 * disk. A run under way goes on, and gives back what it took.
 *
 * @returns why something on standard output did not arrive; a reader that went away wants no more
 */
function outliveOutputs(): () => Error | undefined {
  let lost: Error | undefined
  process.stderr.on('error', () => {})
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost ??= error
  })
  return () => lost
}
