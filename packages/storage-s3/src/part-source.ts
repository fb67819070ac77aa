import type { Bytes } from '@holdfast/sdk'
import { abortable } from './abortable.ts'
import { createChecksum, type Checksum } from './checksum.ts'
import type { S3Config } from './options.ts'

/** What a buffer was filled with. */
export interface Part {
  readonly bytes: Buffer
  /** What the service checks them by. */
  readonly checksum: Checksum
}

/** A stream that is read in parts. */
export interface PartSource {
  /** Fills a buffer; it stays partly empty at the end of the stream only. */
  fill(buffer: Buffer): Promise<Part>
  /** Lets go of the stream. */
  close(): void
}

/** Chunks are copied: their memory may be used again as soon as the next one is asked for. */
export function createPartSource(
  body: Bytes,
  signal: AbortSignal,
  { checksum: kind }: Pick<S3Config, 'checksum'>,
): PartSource {
  const chunks = abortable(body, signal)
  let rest: Uint8Array = Buffer.alloc(0)
  return {
    async fill(buffer) {
      // On the way in, piece by piece: of a whole part it would hold everything up, and memory that goes bad while the part
      // waits for its turn would not show.
      const checksum = createChecksum(kind)
      let used = 0
      for (;;) {
        const piece = rest.subarray(0, buffer.byteLength - used)
        buffer.set(piece, used)
        checksum.update(piece)
        used += piece.byteLength
        rest = rest.subarray(piece.byteLength)
        if (used === buffer.byteLength) break
        const next = await chunks.next()
        if (next.done === true) break
        rest = next.value
      }
      return { bytes: buffer.subarray(0, used), checksum: checksum.value() }
    },
    close() {
      chunks.return(undefined).catch(() => {})
    },
  }
}
