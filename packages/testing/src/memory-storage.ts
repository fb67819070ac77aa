import { HoldfastError, type Bytes, type StorageDriver } from '@holdfast/sdk'

/** How a {@link memoryStorage} goes wrong. */
export interface MemoryStorageOptions {
  /** The put of this number, counted from 1, fails after so many bytes (default 0). */
  readonly failPut?: { readonly number: number; readonly afterBytes?: number } | undefined
  /** Bytes that fit in all. Default: no end. */
  readonly capacity?: number | undefined
  /** Changes what is read: a disk that rots. */
  readonly corrupt?: ((key: string, bytes: Uint8Array) => Uint8Array) | undefined
  /** Waits before each operation, and before each chunk of a put. */
  readonly delay?: (() => Promise<void>) | undefined
}

/** A store in memory, for tests. */
export interface MemoryStorage extends StorageDriver {
  /** What is in it. */
  readonly objects: ReadonlyMap<string, Uint8Array>
  /** Its bad days from now on; puts are counted anew. */
  fail(options: MemoryStorageOptions): void
}

/**
 * A store in memory, with bad days on demand.
 *
 * @example
 * ```ts
 * const storage = memoryStorage({ failPut: { number: 2, afterBytes: 1000 } })
 * ```
 */
export function memoryStorage(options: MemoryStorageOptions = {}): MemoryStorage {
  const objects = new Map<string, Uint8Array>()
  let bad = options
  let puts = 0

  const used = (except: string): number =>
    [...objects].reduce((sum, [key, { length }]) => sum + (key === except ? 0 : length), 0)
  const turn = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    await bad.delay?.()
    signal.throwIfAborted()
  }
  const receive = async (key: string, body: Bytes, signal: AbortSignal): Promise<Uint8Array> => {
    const { failPut, capacity = Infinity } = bad
    const fails = ++puts === failPut?.number ? (failPut.afterBytes ?? 0) : Infinity
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of body) {
      await turn(signal)
      size += chunk.length
      if (size > fails) throw failure('STORAGE_IO', `writing ${key} failed after ${fails} bytes`)
      if (capacity < Infinity && used(key) + size > capacity)
        throw failure('STORAGE_FULL', `${key} does not fit any more`)
      // A copy: the caller may use its buffer again.
      chunks.push(Uint8Array.from(chunk))
    }
    if (fails !== Infinity) throw failure('STORAGE_IO', `writing ${key} failed at its end`)
    return Buffer.concat(chunks)
  }

  return {
    name: 'memory',
    capabilities: { atomicPut: true, rangeRead: true, objectLock: false },
    objects,
    fail(next) {
      bad = next
      puts = 0
    },
    async put(key, body, { signal }) {
      await turn(signal)
      const bytes = await unlessAborted(receive(key, body, signal), signal)
      objects.set(key, bytes)
    },
    async *get(key, { signal, range }) {
      await turn(signal)
      const bytes = objects.get(key)
      if (!bytes) throw failure('STORAGE_NOT_FOUND', `there is no ${key} in memory`)
      yield (bad.corrupt?.(key, Uint8Array.from(bytes)) ?? bytes).slice(range?.start, range?.end)
    },
    async *list(prefix, { signal }) {
      await turn(signal)
      for (const key of [...objects.keys()].toSorted(byCodePoint)) {
        signal.throwIfAborted()
        const bytes = objects.get(key)
        if (bytes && key.startsWith(prefix)) yield { key, size: bytes.length }
      }
    },
    async delete(key, { signal }) {
      await turn(signal)
      objects.delete(key)
    },
  }
}

/** Rejects at once when the signal aborts: a body may say nothing for ever. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
    work.catch(() => {})
  }
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function failure(code: string, message: string): HoldfastError {
  return new HoldfastError({
    code,
    message,
    hint: 'This store is in memory, for tests.',
    retryable: code !== 'STORAGE_NOT_FOUND',
  })
}
