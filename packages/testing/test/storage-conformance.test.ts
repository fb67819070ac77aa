import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fsStorage } from '@holdfast/runtime'
import type { StorageDriver } from '@holdfast/sdk'
import { afterAll, describe, expect, test } from 'vitest'
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

  test.each(Object.entries(wrong))('one that %s', async (_name, [fails, change]) => {
    const cases = storageConformance(async () => {
      const driver = memoryStorage()
      return { driver: { ...driver, ...change(driver) } }
    })
    const failing = cases.find(({ name }) => name === fails)
    const outcome = await failing?.run().then(
      () => 'passed',
      () => 'failed',
    )
    expect(outcome).toBe('failed')
  })
})

async function* bytes(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}
