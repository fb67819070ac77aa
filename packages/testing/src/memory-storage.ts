import { HoldfastError, type StorageDriver } from '@holdfast/sdk'

/** How a {@link memoryStorage} goes wrong. */
export interface MemoryStorageOptions {
  /** The put of this number, counted from 1, fails after so many bytes (default 0). */
  readonly failPut?: { readonly number: number; readonly afterBytes?: number } | undefined
  /** Bytes that fit in all. Default: no end. */
  readonly capacity?: number | undefined
  /** Changes what is read: a disk that rots. */
  readonly corrupt?: ((key: string, bytes: Uint8Array) => Uint8Array) | undefined
  /** Waits before each operation. */
  readonly delay?: (() => Promise<void>) | undefined
}

/** A store in memory, for tests. */
export interface MemoryStorage extends StorageDriver {
  /** What is in it. */
  readonly objects: ReadonlyMap<string, Uint8Array>
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
  const { failPut, capacity = Infinity, corrupt = (_, bytes) => bytes, delay = async () => {} } = options
  const objects = new Map<string, Uint8Array>()
  let puts = 0

  const used = (): number => [...objects.values()].reduce((sum, { length }) => sum + length, 0)
  const read = (key: string): Uint8Array => {
    const bytes = objects.get(key)
    if (!bytes) throw failure('STORAGE_NOT_FOUND', `there is no ${key} in memory`)
    return corrupt(key, bytes)
  }

  return {
    name: 'memory',
    capabilities: { atomicPut: true, rangeRead: true, objectLock: false },
    objects,
    async put(key, body, { signal }) {
      const fails = ++puts === failPut?.number ? (failPut.afterBytes ?? 0) : Infinity
      const chunks: Uint8Array[] = []
      let size = 0
      await delay()
      for await (const chunk of body) {
        signal.throwIfAborted()
        size += chunk.length
        if (size > fails) throw failure('STORAGE_IO', `writing ${key} failed after ${fails} bytes`)
        if (used() + size > capacity) throw failure('STORAGE_FULL', `${key} does not fit any more`)
        // A copy: the caller may use its buffer again.
        chunks.push(Uint8Array.from(chunk))
      }
      if (fails !== Infinity) throw failure('STORAGE_IO', `writing ${key} failed at its end`)
      signal.throwIfAborted()
      objects.set(key, Buffer.concat(chunks))
    },
    async *get(key, { signal, range }) {
      await delay()
      signal.throwIfAborted()
      yield read(key).slice(range?.start, range?.end)
    },
    async *list(prefix, { signal }) {
      await delay()
      for (const key of [...objects.keys()].toSorted(byCodePoint)) {
        signal.throwIfAborted()
        const bytes = objects.get(key)
        if (bytes && key.startsWith(prefix)) yield { key, size: bytes.length }
      }
    },
    async delete(key, { signal }) {
      await delay()
      signal.throwIfAborted()
      objects.delete(key)
    },
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
