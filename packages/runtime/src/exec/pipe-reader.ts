import { readSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/** Handles bytes; what it returns is waited for before more are read. The chunk is valid only until then. */
export type ChunkHandler = (chunk: Uint8Array) => void | Promise<void>

/** Thrown by a handler that wants no more: the pipe is closed, and a child that writes on gets SIGPIPE. */
export class BrokenPipe extends Error {}

/** Reads the output of a child. */
export interface PipeReader {
  /**
   * After the child has exited: reads what there is, to the end of the pipe, unless patience ends first.
   *
   * @returns whether the end was reached
   */
  finish(patience: Patience): Promise<boolean>
  /** Stops at once. A child that writes on gets SIGPIPE. */
  close(): void
}

/** A process that the child left behind can hold the pipe open for ever: when it is given up. */
export interface Patience {
  /** After this many milliseconds without a byte. */
  readonly silenceMs: number
  /** And after 2 s, whatever comes, once all that the child has written itself is read. */
  readonly bounded: boolean
}

/** What is read: our end of a pipe of the system, or a stream of Node's. */
export type PipeSource = { readonly fd: number } | { readonly stream: Readable }

const chunkSize = 64 * 1024
const pollMs = 10
/** How long a pipe is read at most after the exit, where that is bounded, in ms. */
const longestMs = 2000
/** Bytes of the largest pipe that a process without privileges can make. */
const largestPipe = 2 ** 20

/**
 * Reads a child's output. Bytes are handed on as they come, one chunk at a time, through one buffer.
 *
 * @param onError - called at most once, when reading or handling fails; nothing is read any more
 */
export function readPipe(source: PipeSource, onChunk: ChunkHandler, onError: (error: unknown) => void): PipeReader {
  return 'fd' in source ? readOsPipe(source.fd, onChunk, onError) : readStream(source.stream, onChunk, onError)
}

function readOsPipe(fd: number, onChunk: ChunkHandler, onError: (error: unknown) => void): PipeReader {
  const buffer = Buffer.allocUnsafeSlow(chunkSize)
  let ended = false
  let byHand = false
  let handling: Promise<void> | undefined

  const socket = new Socket({
    fd,
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback(size) {
        try {
          const pending = onChunk(buffer.subarray(0, size))
          if (!pending) return true
          handling = pending.then(resume, fail)
        } catch (error) {
          fail(error)
        }
        return false
      },
    },
  })
  const resume = (): void => {
    handling = undefined
    if (!byHand && !socket.destroyed) socket.resume()
  }
  const fail = (error: unknown): void => {
    if (socket.destroyed) return
    socket.destroy()
    onError(error)
  }
  socket.on('end', () => (ended = true))
  // Only reading can fail here, and the socket is destroyed by then.
  socket.on('error', onError)
  socket.resume()

  /** Read by hand from here on, which tells an empty pipe from one that has not been looked at yet. */
  const finish = async (patience: Patience): Promise<boolean> => {
    byHand = true
    if (!socket.destroyed) socket.pause()
    await handling
    const wait = createWait(patience)
    // The descriptor is ours only as long as the socket lives.
    while (!ended && !socket.destroyed) {
      const size = readNow(fd, buffer)
      if (size === 0) return true
      if (size === undefined) {
        if (wait.isOver()) return false
        await new Promise((resolve) => setTimeout(resolve, pollMs))
      } else {
        await onChunk(buffer.subarray(0, size))
        if (wait.hasEnough(size)) return false
        if (wait.isLong()) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    return true
  }
  return {
    close: () => void socket.destroy(),
    async finish(patience) {
      try {
        return await finish(patience)
      } catch (error) {
        fail(error)
        return true
      } finally {
        socket.destroy()
      }
    },
  }
}

/** @returns bytes read, 0 at the end, `undefined` when there are none now */
function readNow(fd: number, buffer: Uint8Array): number | undefined {
  try {
    return readSync(fd, buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined
    throw error
  }
}

/** Where pipes of the system can't be had. */
function readStream(stream: Readable, onChunk: ChunkHandler, onError: (error: unknown) => void): PipeReader {
  let wait: Wait | undefined
  let enough = false
  let handling = false
  let over = false
  let ended = false

  const read = async (): Promise<void> => {
    try {
      // Not by events: Node makes the streams of a child flow when it exits, ready or not.
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        handling = true
        await onChunk(chunk)
        handling = false
        enough = wait?.hasEnough(chunk.length) ?? false
        if (enough) break
      }
      ended = !enough
    } catch (error) {
      // What was closed on purpose ends early.
      if (!over) onError(error)
    }
    over = true
  }
  void read()
  const close = (): void => {
    over = true
    stream.destroy()
  }
  return {
    close,
    async finish(patience) {
      wait = createWait(patience)
      while (!over) {
        await new Promise((resolve) => setTimeout(resolve, pollMs))
        // Timers come before reads in a turn of the loop: what is there is read before silence counts.
        await new Promise((resolve) => setImmediate(resolve))
        if (!handling && wait.isOver()) break
      }
      close()
      return ended
    },
  }
}

interface Wait {
  /** Counts bytes that were handled. @returns whether to stop here */
  hasEnough(bytes: number): boolean
  /** The pipe was found empty. @returns whether to stop here */
  isOver(): boolean
  /** Whether others must get a turn of the loop. */
  isLong(): boolean
}

function createWait({ silenceMs, bounded }: Patience): Wait {
  const begin = performance.now()
  let last = begin
  let total = 0
  let emptied = false
  const isLate = (): boolean => bounded && performance.now() - begin > longestMs
  return {
    hasEnough(bytes) {
      last = performance.now()
      total += bytes
      return isLate() && (emptied || total > largestPipe)
    },
    isOver() {
      emptied = true
      return isLate() || performance.now() - last > silenceMs
    },
    isLong: () => total > largestPipe,
  }
}
