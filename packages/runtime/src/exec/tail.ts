/** Keeps the last bytes of a stream. */
export interface Tail {
  /** The chunk is copied. */
  push(chunk: Uint8Array): void
  /** What was kept, as text: from the beginning of a line, or of a character, if anything was dropped. */
  text(): string
}

/** Creates a {@link Tail}. @param size - bytes that are kept */
export function createTail(size: number): Tail {
  let ring: Buffer | undefined
  let total = 0

  return {
    push(chunk) {
      if (chunk.length === 0) return
      ring ??= Buffer.allocUnsafe(size)
      const kept = chunk.length > size ? chunk.subarray(chunk.length - size) : chunk
      const at = (total + chunk.length - kept.length) % size
      const first = Math.min(kept.length, size - at)
      ring.set(kept.subarray(0, first), at)
      ring.set(kept.subarray(first), 0)
      total += chunk.length
    },
    text() {
      if (!ring) return ''
      if (total <= size) return ring.toString('utf8', 0, total)
      const at = total % size
      const bytes = Buffer.concat([ring.subarray(at), ring.subarray(0, at)])
      const line = bytes.indexOf(10)
      if (line !== -1 && line < size / 2) return bytes.toString('utf8', line + 1)
      // Not in the middle of a character: continuation bytes are 10xxxxxx.
      let start = 0
      while (start < 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
      return bytes.toString('utf8', start)
    },
  }
}
