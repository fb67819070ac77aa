import { chmodSync, closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { makePipes } from './make-pipes.ts'

/**
 * A pipe of the operating system that nobody has opened: a descriptor that is no reader and no writer keeps it.
 *
 * For `'pipe'` Node gives its children sockets, and a socket can't be opened through `/dev/stderr` or `/dev/stdin`
 * (ENXIO), which shell scripts do.
 */
export interface OsPipe {
  /** Opens it; a link to the kept descriptor. */
  readonly path: string
  readonly keeper: number
}

/** Descriptors of both ends. */
export interface PipeEnds {
  readonly reader: number
  readonly writer: number
}

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants
const mostIdle = 32

const idle: OsPipe[] = []
let making: Promise<boolean> | undefined
let attemptsLeft = process.platform === 'linux' ? 3 : 0

/**
 * Takes pipes out of the pool; makes more when there are too few.
 *
 * @returns `undefined` where pipes can't be had: not Linux, no /bin/sh, no /proc
 */
export async function takePipes(count: number): Promise<OsPipe[] | undefined> {
  const taken: OsPipe[] = []
  while (taken.length < count) {
    const pipe = idle.pop()
    if (pipe) {
      if (isUnused(pipe)) taken.push(pipe)
      else closeSync(pipe.keeper)
    } else if (attemptsLeft === 0 || !(await (making ??= refill()))) {
      giveBackPipes(taken)
      return undefined
    }
  }
  return taken
}

/** Puts pipes back. One that a process still holds is found out, and let go, when it is taken the next time. */
export function giveBackPipes(pipes: readonly OsPipe[]): void {
  for (const pipe of pipes) {
    if (idle.length < mostIdle) idle.push(pipe)
    else closeSync(pipe.keeper)
  }
}

/**
 * Opens both ends of an unused pipe.
 *
 * @param ours - the end that this process reads or writes: it doesn't block, as that of a child must
 */
export function openEnds({ path }: OsPipe, ours: 'reader' | 'writer' | 'neither'): PipeEnds {
  const reader = openSync(path, ours === 'reader' ? O_RDONLY | O_NONBLOCK : O_RDONLY)
  try {
    return { reader, writer: openSync(path, ours === 'writer' ? O_WRONLY | O_NONBLOCK : O_WRONLY) }
  } catch (error) {
    closeSync(reader)
    throw error
  }
}

const oneByte = Buffer.alloc(1)

/** A daemon that a script left behind may still hold an end; its bytes must not reach another command. */
function isUnused({ path }: OsPipe): boolean {
  const { stackTraceLimit } = Error
  // The second answer is an exception in the good case; it is a third of the price without a trace.
  Error.stackTraceLimit = 0
  const opened: number[] = []
  try {
    const reader = openSync(path, O_RDONLY | O_NONBLOCK)
    opened.push(reader)
    // Without a writer a read finds the end…
    if (readSync(reader, oneByte) !== 0) return false
    closeSync(reader)
    opened.pop()
    const writer = openSync(path, O_WRONLY | O_NONBLOCK)
    opened.push(writer)
    // … and without a reader a write is refused.
    writeSync(writer, oneByte)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPIPE'
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    for (const fd of opened) closeSync(fd)
  }
}

async function refill(): Promise<boolean> {
  attemptsLeft--
  const made = await makePipes()
  making = undefined
  for (const keeper of made) {
    const pipe = { keeper, path: `/proc/self/fd/${keeper}` }
    try {
      // Others may write: what a script prints as another user (`su app -c …`) arrives then, too.
      chmodSync(pipe.path, 0o622)
    } catch {
      // Nothing is lost but that.
    }
    if (isUnused(pipe)) idle.push(pipe)
    else closeSync(keeper)
  }
  if (idle.length === 0) return false
  attemptsLeft = 3
  return true
}
