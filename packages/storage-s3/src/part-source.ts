import type { Bytes } from '@holdfast/sdk'
import { abortable } from './abortable.ts'

/** A stream that is read in parts. */
export interface PartSource {
  /** Fills a buffer. @returns how many bytes there were: fewer than it holds at the end of the stream only */
  fill(buffer: Buffer): Promise<number>
  /** Lets go of the stream. */
  close(): void
}

/** Chunks are copied: their memory may be used again as soon as the next one is asked for. */
export function createPartSource(body: Bytes, signal: AbortSignal): PartSource {
  const chunks = abortable(body, signal)
  let rest: Uint8Array = Buffer.alloc(0)
  return {
    async fill(buffer) {
      let used = 0
      for (;;) {
        const piece = rest.subarray(0, buffer.byteLength - used)
        buffer.set(piece, used)
        used += piece.byteLength
        rest = rest.subarray(piece.byteLength)
        if (used === buffer.byteLength) return used
        const next = await chunks.next()
        if (next.done === true) return used
        rest = next.value
      }
    },
    close() {
      chunks.return(undefined).catch(() => {})
    },
  }
}
