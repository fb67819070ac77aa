import { readSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { createWait, type Patience } from './patience.ts'
import { readStream } from './stream-reader.ts'

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

/** What is read: our end of a pipe of the system, or a stream of Node's. */
export type PipeSource = { readonly fd: number } | { readonly stream: Readable }

const chunkSize = 64 * 1024
const pollMs = 10

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
