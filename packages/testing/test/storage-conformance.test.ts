import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fsStorage } from '@holdfast/runtime'
import type { StorageDriver } from '@holdfast/sdk'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { memoryStorage } from '../src/memory-storage.ts'
import { storageConformance } from '../src/storage-conformance.ts'

const directories: string[] = []
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

describe('the fs driver', () => {
  const cases = storageConformance(async () => {
    const path = mkdtempSync(join(tmpdir(), 'conformance-'))
    directories.push(path)
    return {
      driver: fsStorage({ path: join(path, 'store') }),
      reopen: async () => fsStorage({ path: join(path, 'store') }),
    }
  })
  test.each(cases)('$name', ({ run }) => run())
})

describe('the memory driver', () => {
  const cases = storageConformance(async () => ({ driver: memoryStorage() }))
  test.each(cases)('$name', ({ run }) => run())
})

describe('a driver that is wrong fails the suite', () => {
  const wrong: Record<string, readonly [fails: string, change: (driver: StorageDriver) => Partial<StorageDriver>]> = {
    'keeps what a failed body had written': [
      'a body that fails leaves nothing, and put rejects with its error',
      (driver) => ({
        async put(key, body, options) {
          const chunks: Uint8Array[] = []
          let failure: unknown
          try {
            for await (const chunk of body) chunks.push(chunk)
          } catch (error) {
            failure = error
          }
          await driver.put(key, bytes(...chunks), options)
          if (failure) throw failure as Error
        },
      }),
    ],
    'loses the last byte': [
      'what was put can be read, whatever its chunks',
      (driver) => ({
        async *get(key, options) {
          for await (const chunk of driver.get(key, options)) yield chunk.subarray(0, Math.max(0, chunk.length - 1))
        },
      }),
    ],
    'lists in the order of writing': [
      'list gives whole keys in code point order, with sizes, below any prefix',
      (driver) => ({
        async *list(prefix, options) {
          const all: { key: string; size: number }[] = []
          for await (const entry of driver.list(prefix, options)) all.push(entry)
          yield* all.toReversed()
        },
      }),
    ],
    'lists one page': [
      'list goes on after a thousand keys',
      (driver) => ({
        async *list(prefix, options) {
          let count = 0
          for await (const entry of driver.list(prefix, options)) if (++count <= 1000) yield entry
        },
      }),
    ],
    'takes a prefix for a directory': [
      'list gives whole keys in code point order, with sizes, below any prefix',
      (driver) => ({
        async *list(prefix, options) {
          for await (const entry of driver.list(prefix, options))
            if (prefix === '' || prefix.endsWith('/') || entry.key[prefix.length] === '/') yield entry
        },
      }),
    ],
    'deletes by prefix': [
      'delete removes one object and no other, at once, and again without error',
      (driver) => ({
        async delete(key, options) {
          for await (const entry of driver.list(key, options)) await driver.delete(entry.key, options)
        },
      }),
    ],
    'throws its own error for a missing object': [
      'a missing object is STORAGE_NOT_FOUND, at the first read',
      (driver) => ({
        async *get(key, options) {
          try {
            yield* driver.get(key, options)
          } catch {
            throw new Error('404')
          }
        },
      }),
    ],
    'ignores aborts': [
      'an aborted put stops reading its body',
      (driver) => ({
        put: (key, body) => driver.put(key, body, { signal: new AbortController().signal }),
      }),
    ],
    'ignores case': [
      'keys are kept as they are: case, length, percent signs',
      (driver) => ({
        put: (key, body, options) => driver.put(key.toLowerCase(), body, options),
        get: (key, options) => driver.get(key.toLowerCase(), options),
      }),
    ],
    'answers before it has stored': [
      'it is there for others as soon as put resolves',
      (driver) => ({
        async put(key, body, options) {
          const chunks = await collected(body)
          setTimeout(() => void driver.put(key, bytes(...chunks), options), 5)
        },
      }),
    ],
    'writes over what is there, piece by piece': [
      'a put replaces what was there, and a reader never sees half of it',
      writesInPlace,
    ],
    'shows what is being put': ['what is being put is not listed and not found', writesInPlace],
    'waits for the body, whatever its signal says': [
      'an abort ends a put at once, also of a body that hangs, and leaves nothing',
      (driver) => ({
        async put(key, body, options) {
          const chunks = await collected(body)
          await driver.put(key, bytes(...chunks), options)
        },
      }),
    ],
    'reads, lists and deletes whatever its signal says': [
      'an aborted signal ends get, list and delete',
      (driver) => {
        const { signal } = new AbortController()
        return {
          get: (key, options) => driver.get(key, { ...options, signal }),
          list: (prefix) => driver.list(prefix, { signal }),
          delete: (key) => driver.delete(key, { signal }),
        }
      },
    ],
    'minds that its reader stops': [
      'a reader that stops early is no trouble',
      (driver) => ({
        async *get(key, options) {
          let whole = false
          try {
            yield* driver.get(key, options)
            whole = true
          } finally {
            // eslint-disable-next-line no-unsafe-finally -- this is what is wrong with it
            if (!whole) throw new Error('the connection was closed')
          }
        },
      }),
    ],
    'has one buffer for all': [
      'puts side by side do not disturb each other, and of one key one stays whole',
      (driver) => {
        let buffer: Uint8Array[] = []
        return {
          async put(key, body, options) {
            buffer = []
            for await (const chunk of body) buffer.push(chunk)
            await driver.put(key, bytes(...buffer), options)
          },
        }
      },
    ],
    'removes the directory with what is deleted in it': [
      'puts and deletes in one directory do not disturb each other',
      (driver) => ({
        async delete(key, options) {
          for await (const other of driver.list(key.replace(/[^/]*$/, ''), options))
            await driver.delete(other.key, options)
        },
      }),
    ],
    'sweeps what is finished': [
      'sweep leaves finished objects alone',
      (driver) => ({
        async sweep(_before, options) {
          for await (const { key } of driver.list('', options)) await driver.delete(key, options)
        },
      }),
    ],
    'takes the end of a range as its last byte': [
      'a range is read from start to before end',
      (driver) => ({
        get: (key, { signal, range }) =>
          driver.get(
            key,
            range ? { signal, range: { ...range, end: range.end === undefined ? 1e9 : range.end + 1 } } : { signal },
          ),
      }),
    ],
  }

  test('each check has one that fails it', () => {
    const names = storageConformance(async () => ({ driver: memoryStorage() })).map(({ name }) => name)
    expect(new Set(Object.values(wrong).map(([fails]) => fails))).toEqual(new Set(names))
  })

  test.each(Object.entries(wrong))('one that %s', async (_name, [fails, change]) => {
    const cases = storageConformance(async () => {
      const driver = memoryStorage()
      return { driver: { ...driver, ...change(driver) } }
    })
    const failing = cases.find(({ name }) => name === fails)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const outcome = failing?.run().then(
      () => 'passed',
      (error: Error) => `failed: ${error.message}`,
    )
    // Only one that does not end needs it.
    await vi.advanceTimersByTimeAsync(5_100)
    // What is wrong, and in the last line what that means.
    expect(await outcome).toMatch(/^failed: [^]+\n.+: .+\.$/)
  })

  const runCase = (part: string, change: (driver: StorageDriver) => Partial<StorageDriver>) => {
    const cases = storageConformance(async () => {
      const driver = memoryStorage()
      return { driver: { ...driver, ...change(driver) } }
    })
    return cases.find(({ name }) => name.includes(part))?.run()
  }

  test('one that waits for a body that hangs is told of after five seconds, in place of hanging the suite', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const check = runCase('of a body that hangs', (driver) => ({
      async put(key, body, options) {
        const chunks: Uint8Array[] = []
        for await (const chunk of body) chunks.push(chunk)
        await driver.put(key, bytes(...chunks), options)
      },
    }))
    const failure = check?.catch((error: unknown) => String(error))
    await vi.advanceTimersByTimeAsync(5_100)
    expect(await failure).toBe(
      'Error: put of a body that hangs goes on 5 s after its signal aborted\n' +
        'A run that is told to stop would go on: race body.next() with the signal, since `for await` does not notice it, and throw signal.reason.',
    )
  })

  test('one store for all cases is told of as that, and not as whatever is wrong with what is left in it', async () => {
    const driver = memoryStorage()
    const [first, second] = storageConformance(async () => ({ driver }))
    await first?.run()
    await expect(second?.run()).rejects.toThrow(
      /^the store of this case is not empty: it has a\/empty 0, .*, …\. The factory is called for each case/,
    )
  })

  test('one that answers its own error for what its body threw is told of both, and what it means', async () => {
    const check = runCase('a body that fails', (driver) => ({
      put: (key, body, options) =>
        driver.put(key, body, options).catch(() => Promise.reject(new TypeError('fetch failed'))),
    }))
    await expect(check).rejects.toThrow(
      /^put rejects with the error of its body, not with TypeError: fetch failed\n.*throw that very error on/s,
    )
  })

  test('one that finds what is not there is told what was found, and why that matters', async () => {
    const check = runCase('a missing object', () => ({ get: () => bytes(Buffer.from('<html>404</html>')) }))
    await expect(check).rejects.toThrow(
      /^get nothing succeeds although there is no such object\nHoldfast could not tell "there is none"/,
    )
  })

  test('one that hides the reason of its signal is told what it rejects with', async () => {
    const check = runCase('ends get, list and delete', (driver) => ({
      delete: async (key, options) => {
        if (options.signal.aborted) throw new DOMException('The operation was aborted', 'AbortError')
        await driver.delete(key, options)
      },
    }))
    await expect(check).rejects.toThrow('delete rejects with the reason of its signal, not with AbortError')
  })
})

async function* bytes(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

async function collected(body: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return chunks
}

function writesInPlace(driver: StorageDriver): Partial<StorageDriver> {
  return {
    async put(key, body, options) {
      const chunks: Uint8Array[] = []
      for await (const chunk of body) {
        chunks.push(chunk)
        await driver.put(key, bytes(...chunks), options)
      }
      await driver.put(key, bytes(...chunks), options)
    },
  }
}
