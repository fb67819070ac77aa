import { partsInMemory } from './part-size.ts'

/** The memory of an upload: so many buffers, used again and again. */
export interface PartBuffers {
  /** A buffer of this size, when there is room for one. */
  take(size: number, signal: AbortSignal): Promise<Buffer>
  /** Gives one back that nobody reads any more. */
  give(buffer: Buffer): void
  /** Gives the memory back that is not in use. */
  close(): void
}

/**
 * @param first - bytes of the first parts
 * @param concurrency - how many of them at once
 */
export function createPartBuffers(first: number, concurrency: number): PartBuffers {
  let spare: Buffer[] = []
  let inUse = 0
  let wake = Promise.withResolvers<void>()

  const drop = (buffers: readonly Buffer[]): void => {
    // The collector sees small objects and not the megabytes behind them.
    for (const { buffer } of buffers) if (buffer instanceof ArrayBuffer) buffer.transfer(0)
  }

  return {
    async take(size, signal) {
      while (inUse >= partsInMemory(size, first, concurrency)) {
        signal.throwIfAborted()
        await unlessAborted(wake.promise, signal)
      }
      inUse++
      const fitting = spare.pop()
      if (fitting?.byteLength === size) return fitting
      if (fitting !== undefined) drop([fitting, ...spare])
      if (fitting !== undefined) spare = []
      return Buffer.allocUnsafeSlow(size)
    },
    give(buffer) {
      inUse--
      spare.push(buffer)
      wake.resolve()
      wake = Promise.withResolvers()
    },
    close() {
      drop(spare)
      spare = []
    },
  }
}

async function unlessAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([wait, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
