import { createHash } from 'node:crypto'
import type { Bytes } from '@holdfast/sdk'

/** Counts and hashes the bytes that pass. */
export interface Digest {
  /** Bytes so far. */
  readonly size: number
  /** Whether the source came to its end. */
  readonly complete: boolean
  /** Hands a stream on as it is. */
  tap(source: Bytes): Bytes
  /** SHA-256 in hex of all that passed; once. */
  hex(): string
}

/** A digest of nothing yet. */
export function createDigest(): Digest {
  const hash = createHash('sha256')
  let size = 0
  let complete = false
  return {
    get size() {
      return size
    },
    get complete() {
      return complete
    },
    async *tap(source) {
      for await (const chunk of source) {
        hash.update(chunk)
        size += chunk.byteLength
        yield chunk
      }
      complete = true
    },
    hex: () => hash.digest('hex'),
  }
}
