import { execFile } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * A named pipe without a name: its directory entry is gone, a descriptor that is no reader and no writer keeps it.
 *
 * Node gives its children sockets for pipes, and a socket can't be opened through `/dev/stderr` or `/dev/stdout`
 * (ENXIO), which shell scripts do. A FIFO can, and Node can make one: with mkfifo(1), a few at a time, for good.
 */
export interface Fifo {
  /** Opens it; a link to the kept descriptor. */
  readonly path: string
  readonly keeper: number
}

/** An end of a FIFO that was opened, as descriptors. */
export interface FifoEnds {
  readonly reader: number
  readonly writer: number
}

// A descriptor that only names a file (O_PATH of Linux, the same on every architecture that Node runs on).
const pathOnly = 0o10000000
const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants
const batch = 8
const mostIdle = 32

const idle: Fifo[] = []
let making: Promise<boolean> | undefined
let attemptsLeft = process.platform === 'linux' ? 3 : 0

/**
 * Takes FIFOs out of the pool; makes more when there are too few.
 *
 * @returns `undefined` where the machine has none (not Linux, no mkfifo, no /proc, nowhere to make one)
 */
export async function takeFifos(count: number): Promise<Fifo[] | undefined> {
  const taken: Fifo[] = []
  while (taken.length < count) {
    const fifo = idle.pop()
    if (fifo) {
      if (isUnused(fifo)) taken.push(fifo)
      else closeSync(fifo.keeper)
    } else if (attemptsLeft === 0 || !(await (making ??= makeFifos()))) {
      giveBackFifos(taken)
      return undefined
    }
  }
  return taken
}

/** Puts FIFOs back. One that a process still holds is found out, and let go, when it is taken the next time. */
export function giveBackFifos(fifos: readonly Fifo[]): void {
  for (const fifo of fifos) {
    if (idle.length < mostIdle) idle.push(fifo)
    else closeSync(fifo.keeper)
  }
}

/** Ends for a child that writes and us who read: our end doesn't block. */
export function openToRead(fifo: Fifo): FifoEnds {
  const reader = openSync(fifo.path, O_RDONLY | O_NONBLOCK)
  return { reader, writer: openOr(reader, () => openSync(fifo.path, O_WRONLY)) }
}

/** Ends for a child that reads and us who write: our end doesn't block. */
export function openToWrite(fifo: Fifo): FifoEnds {
  // A FIFO opens for writing only while it has a reader, and the child's end must be one that blocks.
  const first = openSync(fifo.path, O_RDONLY | O_NONBLOCK)
  try {
    const writer = openSync(fifo.path, O_WRONLY | O_NONBLOCK)
    return { writer, reader: openOr(writer, () => openSync(fifo.path, O_RDONLY)) }
  } finally {
    closeSync(first)
  }
}

/** Ends for two children, the first of which writes to the second: both block. */
export function openBetween(fifo: Fifo): FifoEnds {
  const first = openSync(fifo.path, O_RDONLY | O_NONBLOCK)
  try {
    const writer = openSync(fifo.path, O_WRONLY)
    return { writer, reader: openOr(writer, () => openSync(fifo.path, O_RDONLY)) }
  } finally {
    closeSync(first)
  }
}

function openOr(opened: number, open: () => number): number {
  try {
    return open()
  } catch (error) {
    closeSync(opened)
    throw error
  }
}

/** A daemon that a script left behind may still hold an end; its bytes must not reach another command. */
function isUnused({ path }: Fifo): boolean {
  try {
    // Without a reader it can't be opened for writing…
    closeSync(openSync(path, O_WRONLY | O_NONBLOCK))
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') return false
  }
  const reader = openSync(path, O_RDONLY | O_NONBLOCK)
  try {
    // … and without a writer a read finds the end.
    return readSync(reader, Buffer.alloc(1)) === 0
  } catch {
    return false
  } finally {
    closeSync(reader)
  }
}

async function makeFifos(): Promise<boolean> {
  let made = false
  attemptsLeft--
  for (const parent of directories()) {
    let directory: string
    try {
      directory = mkdtempSync(join(parent, 'holdfast-'))
    } catch {
      continue
    }
    try {
      const paths = Array.from({ length: batch }, (_, at) => join(directory, String(at)))
      // Others may write: the output of a script that goes on as another user (`su app -c …`) arrives then, too.
      await promisify(execFile)('mkfifo', ['-m', '622', ...paths], { timeout: 10_000 })
      for (const path of paths) {
        const keeper = openSync(path, pathOnly)
        idle.push({ keeper, path: `/proc/self/fd/${keeper}` })
      }
      made = idle.some(isUnused)
    } catch {
      // The next directory may do; with none of them, children get ordinary pipes.
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
    if (made) break
  }
  making = undefined
  if (made) attemptsLeft = 3
  return made
}

/** Memory first: it is there where the root filesystem is read-only, and nobody freezes it. */
function directories(): string[] {
  return [...new Set(['/dev/shm', tmpdir(), '/tmp', '/run'])]
}
