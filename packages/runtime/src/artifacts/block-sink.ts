import { isUint8Array } from 'node:util/types'
import type { Bytes, Sink } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { kindOf } from '../load/schema-issue.ts'

/** Bytes of a block: also of a zstd frame, see zstd.ts. */
export const blockSize = 1024 * 1024

/** How many full blocks may wait for their reader. */
const longestQueue = 1

/** The two ends of an artifact's way in: a producer writes, the store reads blocks. */
export interface BlockSink {
  /**
   * What the producer gets. Chunks are copied: their memory may be used again as soon as `write` resolves. Writes that
   * nobody waits for keep their order.
   */
  readonly sink: Sink
  /** Read once. Throws what {@link BlockSink.fail} was told. */
  readonly blocks: Bytes
  /** Gives a block back that nobody reads any more, to be filled again. Optional: saves memory and its clearing. */
  release(block: Uint8Array): void
  /** Bytes taken so far. */
  readonly size: number
  /** What {@link BlockSink.fail} was told first. */
  readonly failure: { readonly error: unknown } | undefined
  /** When all writes up to now are done. Rejects with the failure, if there is one. */
  settled(): Promise<void>
  /** No more writes: waits for those under way, then hands out the last block. */
  end(): Promise<void>
  /** Ends both sides with an error; the first one counts. */
  fail(error: unknown): void
}

/**
 * A sink whose memory is bounded: a write waits while {@link longestQueue} full blocks do.
 *
 * When the reader goes away, which a store does when it fails, writes wait for {@link BlockSink.fail}, so that the
 * producer hears the store's error and not one about a closed pipe.
 */
export function createBlockSink(): BlockSink {
  const queue: Uint8Array[] = []
  const spare: ArrayBuffer[] = []
  let block: Uint8Array<ArrayBuffer> | undefined
  let used = 0
  let size = 0
  let ended = false
  let failure: { readonly error: unknown } | undefined
  let abandoned = false
  let last: Promise<void> = Promise.resolve()
  let wake = Promise.withResolvers<void>()

  const changed = (): void => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  const room = async (): Promise<void> => {
    while (!failure && (abandoned || queue.length >= longestQueue)) await wake.promise
    if (failure) throw failure.error
  }
  const push = async (full: Uint8Array): Promise<void> => {
    await room()
    queue.push(full)
    changed()
  }
  const take = async (chunk: Uint8Array): Promise<void> => {
    if (ended) throw errors.ARTIFACT_SINK_CLOSED({})
    if (!isUint8Array(chunk)) {
      // Kept as the failure of all of it: a producer may not wait for its writes.
      failure ??= { error: errors.ARTIFACT_NOT_BYTES({ found: chunk === undefined ? 'undefined' : kindOf(chunk) }) }
      changed()
    }
    if (failure || abandoned) await room()
    for (let rest = chunk; rest.byteLength > 0;) {
      block ??= new Uint8Array(spare.pop() ?? Buffer.allocUnsafeSlow(blockSize).buffer)
      const part = rest.subarray(0, blockSize - used)
      block.set(part, used)
      used += part.byteLength
      size += part.byteLength
      rest = rest.subarray(part.byteLength)
      if (used === blockSize) {
        const full = block
        block = undefined
        used = 0
        await push(full)
      }
    }
  }
  const after = (step: () => Promise<void>): Promise<void> => {
    const done = last.then(step)
    // A producer may not wait for its writes; the next step and `failure` tell all the same.
    last = done.catch(() => {})
    done.catch(() => {})
    return done
  }

  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (failure) throw failure.error
        const next = queue.shift()
        if (next) {
          changed()
          yield next
        } else if (ended) return
        else await wake.promise
      }
    } finally {
      abandoned = true
      changed()
    }
  }

  return {
    sink: { write: (chunk) => after(() => take(chunk)) },
    blocks: read(),
    release({ buffer }) {
      if (buffer instanceof ArrayBuffer) spare.push(buffer)
    },
    get size() {
      return size
    },
    get failure() {
      return failure
    },
    settled: () =>
      after(async () => {
        if (failure) throw failure.error
      }),
    end: () =>
      after(async () => {
        if (block) await push(block.subarray(0, used))
        block = undefined
        ended = true
        changed()
      }),
    fail(error) {
      failure ??= { error }
      changed()
    },
  }
}
