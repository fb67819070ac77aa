import type { Readable } from 'node:stream'
import { createWait, type Wait } from './patience.ts'
import type { ChunkHandler, PipeReader } from './pipe-reader.ts'

const pollMs = 10

/** Reads a stream of Node's, where pipes of the system can't be had. */
export function readStream(stream: Readable, onChunk: ChunkHandler, onError: (error: unknown) => void): PipeReader {
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
