// What makes a storage driver one. Plain data and plain errors: any test runner can run it, and none is needed.
import assert from 'node:assert/strict'
import { isHoldfastError, type Bytes, type StorageDriver } from '@holdfast/sdk'
import { storageMeanings } from './storage-meanings.ts'

/** A store to test. */
export interface StorageUnderTest {
  /** Empty: each case gets a directory, a bucket or a prefix of its own. */
  readonly driver: StorageDriver
  /** The same store as another process would open it. Left out, that part is not tested. */
  readonly reopen?: (() => Promise<StorageDriver>) | undefined
}

/** One thing that every driver must do. */
export interface ConformanceCase {
  readonly name: string
  /** Rejects when the driver doesn't. */
  run(): Promise<void>
}

type Check = (driver: StorageDriver, test: StorageUnderTest) => Promise<void>

/**
 * The storage drivers' conformance suite.
 *
 * @param factory - makes an empty store for each case
 * @example
 * ```ts
 * import { test } from 'node:test'
 *
 * for (const { name, run } of storageConformance(async () => ({ driver: memoryStorage() }))) void test(name, run)
 * ```
 */
export function storageConformance(factory: () => Promise<StorageUnderTest>): readonly ConformanceCase[] {
  return Object.entries(checks).map(([name, check]) => ({
    name,
    async run() {
      const test = await factory()
      await assertEmpty(test.driver)
      try {
        await check(test.driver, test)
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${storageMeanings[name] ?? ''}`, { cause: error })
      }
    },
  }))
}

/** Else every other thing that is said would be about what is left of an earlier case. */
async function assertEmpty(driver: StorageDriver): Promise<void> {
  const found = await list(driver, '')
  if (found.length === 0) return
  const some = found.slice(0, 3).join(', ')
  throw new Error(
    `the store of this case is not empty: it has ${some}${found.length > 3 ? ', …' : ''}. The factory is called for each case: let it make a directory, a bucket or a prefix that is new each time`,
  )
}

const checks: Readonly<Record<string, Check>> = {
  async 'what was put can be read, whatever its chunks'(driver) {
    const large = pattern(5_000_003)
    const objects: Record<string, Uint8Array[]> = {
      'a/empty': [],
      'a/empty-chunk': [new Uint8Array()],
      'a/one': [pattern(1)],
      'a/many': Array.from({ length: 1000 }, (_, n) => pattern(n % 7)),
      'a/large': [large.subarray(0, 1_048_576), large.subarray(1_048_576, 1_048_577), large.subarray(1_048_577)],
    }
    for (const [key, chunks] of Object.entries(objects)) {
      await put(driver, key, chunks)
      assert.ok(Buffer.concat(chunks).equals(await get(driver, key)), `${key} reads back as it was put`)
    }
  },

  async 'it is there for others as soon as put resolves'(driver, { reopen }) {
    await put(driver, 'a/b', [pattern(100)])
    const other = reopen ? await reopen() : driver
    assert.ok(pattern(100).equals(await get(other, 'a/b')), 'it reads back as it was put')
    assert.deepEqual(await list(other, ''), ['a/b 100'])
  },

  async 'a put replaces what was there, and a reader never sees half of it'(driver) {
    const old = Buffer.alloc(300_000, 'a')
    const next = Buffer.alloc(200_000, 'b')
    await put(driver, 'k', [old])
    const reads: Promise<Buffer>[] = []
    await driver.put(
      'k',
      produce(async function* () {
        for (let at = 0; at < next.length; at += 50_000) {
          reads.push(get(driver, 'k'))
          await reads.at(-1)
          yield next.subarray(at, at + 50_000)
        }
      }),
      { signal: never },
    )
    for (const read of reads) assert.ok(old.equals(await read), 'the old object while the new one is being put')
    assert.ok(next.equals(await get(driver, 'k')))
  },

  async 'a body that fails leaves nothing, and put rejects with its error'(driver) {
    const failure = new Error('the dump failed')
    const body = produce(async function* () {
      yield pattern(70_000)
      throw failure
    })
    const thrown = await driver.put('a/b', body, { signal: never }).then(
      () => assert.fail('put succeeds although its body fails'),
      (error: unknown) => error,
    )
    assert.equal(thrown, failure, `put rejects with the error of its body, not with ${String(thrown)}`)
    assert.deepEqual(await list(driver, ''), [])
    await assertNotFound(driver, 'a/b')
    await put(driver, 'a/b', [pattern(3)])
    assert.deepEqual(await list(driver, ''), ['a/b 3'])
  },

  async 'an abort ends a put at once, also of a body that hangs, and leaves nothing'(driver) {
    const abort = new AbortController()
    const reason = new Error('shutting down')
    const hanging = produce(async function* () {
      yield pattern(10)
      setTimeout(() => abort.abort(reason), 20)
      await new Promise(() => {})
    })
    await rejectsWith(reason, 'put of a body that hangs', driver.put('a', hanging, { signal: abort.signal }))
    assert.deepEqual(await list(driver, ''), [])
    let started = false
    const body = produce(async function* () {
      started = true
      yield pattern(10)
    })
    await rejectsWith(reason, 'put', driver.put('a', body, { signal: abort.signal }))
    assert.equal(started, false, 'a body is not read when the signal was aborted before')
  },

  async 'an aborted signal ends get, list and delete'(driver) {
    await put(driver, 'a', [pattern(10)])
    const reason = new Error('stop')
    const signal = AbortSignal.abort(reason)
    await rejectsWith(reason, 'get', collect(driver.get('a', { signal })))
    await rejectsWith(reason, 'list', collect(driver.list('', { signal })))
    await rejectsWith(reason, 'delete', driver.delete('a', { signal }))
    assert.deepEqual(await list(driver, ''), ['a 10'])
  },

  async 'what is being put is not listed and not found'(driver) {
    let during: string[] | undefined
    const body = produce(async function* () {
      yield pattern(100_000)
      during = await list(driver, '')
      await assertNotFound(driver, 'a/b')
      yield pattern(100_000)
    })
    await driver.put('a/b', body, { signal: never })
    assert.deepEqual(during, [])
    assert.deepEqual(await list(driver, ''), ['a/b 200000'])
  },

  async 'a missing object is STORAGE_NOT_FOUND, at the first read'(driver) {
    await put(driver, 'a/b/c', [pattern(1)])
    for (const key of ['nothing', 'a', 'a/b', 'a/b/c/d', 'a/b/d']) await assertNotFound(driver, key)
  },

  async 'a range is read from start to before end'(driver) {
    if (!driver.capabilities.rangeRead) return
    const bytes = pattern(3_000_000)
    await put(driver, 'k', [bytes])
    for (const [start, end] of [
      [0],
      [0, 0],
      [0, 1],
      [5, 5],
      [1_500_000],
      [7, 2_500_001],
      [2_999_999],
      [9, 9e9],
    ] as const) {
      const range = end === undefined ? { start } : { start, end }
      const part = await collect(driver.get('k', { signal: never, range }))
      const [given, expected] = [Buffer.concat(part), bytes.subarray(start, end)]
      const what = `the range from ${start} ${end === undefined ? 'on' : `to before ${end}`}`
      assert.equal(given.length, expected.length, `${what} has ${given.length} bytes, not ${expected.length}`)
      assert.ok(given.equals(expected), `${what} has other bytes`)
    }
  },

  async 'a reader that stops early is no trouble'(driver) {
    await put(driver, 'k', [pattern(3_000_000)])
    for await (const chunk of driver.get('k', { signal: never })) {
      assert.ok(chunk.length > 0)
      break
    }
    for await (const { key } of driver.list('', { signal: never })) {
      assert.equal(key, 'k')
      break
    }
    await driver.delete('k', { signal: never })
  },

  async 'list gives whole keys in code point order, with sizes, below any prefix'(driver) {
    const keys = ['a-b', 'a.b', 'a/b', 'a/b-c', 'a/b/c', 'a/b.c', 'a0', 'B/a', '_', 'a/c', 'ab/c', 'a%20b/c', 'a_b']
    // One that is a prefix of another may not be a directory and a file at once everywhere.
    const possible = keys.filter((key) => !keys.some((other) => other.startsWith(`${key}/`)))
    for (const [n, key] of possible.toReversed().entries()) await put(driver, key, [pattern(n)])
    const sorted = possible.toSorted((a, b) => (a < b ? -1 : 1))
    assert.deepEqual(
      (await list(driver, '')).map((entry) => entry.split(' ')[0]),
      sorted,
    )
    for (const prefix of ['a', 'a/', 'a/b', 'a/b/', 'a%2', 'a%20b/c', 'B', 'x', 'a/b/c/d', 'x/y/']) {
      const expected = sorted.filter((key) => key.startsWith(prefix))
      assert.deepEqual(
        (await list(driver, prefix)).map((entry) => entry.split(' ')[0]),
        expected,
        `prefix ${prefix}`,
      )
    }
    assert.deepEqual(await list(driver, 'a_'), ['a_b 0'])
  },

  async 'list goes on after a thousand keys'(driver) {
    const keys = Array.from({ length: 1100 }, (_, n) => `many/${n.toString().padStart(5, '0')}`)
    for (let at = 0; at < keys.length; at += 50)
      await Promise.all(keys.slice(at, at + 50).map((key) => put(driver, key, [pattern(1)])))
    assert.deepEqual(
      await list(driver, 'many/'),
      keys.map((key) => `${key} 1`),
    )
  },

  async 'keys are kept as they are: case, length, percent signs'(driver) {
    const keys = [
      'Case/a',
      'case/A',
      `long/${'x'.repeat(199)}`,
      `long/${'x'.repeat(200)}`,
      `long/${'x'.repeat(201)}`,
      `long/${'x'.repeat(200)}/y`.replace('long', 'long2'),
      `long3/${'%C3%BC'.repeat(120)}/z.json`,
      'dots/...',
      'dots/.hidden/a',
      'percent/%2E%2E%2Fetc',
      'deep/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z',
      'tilde/a~b',
      '-/_',
    ]
    for (const key of keys) await put(driver, key, [Buffer.from(key)])
    for (const key of keys) assert.equal((await get(driver, key)).toString(), key)
    const expected = keys.toSorted((a, b) => (a < b ? -1 : 1)).map((key) => `${key} ${key.length}`)
    assert.deepEqual(await list(driver, ''), expected)
    for (const key of keys) await driver.delete(key, { signal: never })
    assert.deepEqual(await list(driver, ''), [])
  },

  async 'delete removes one object and no other, at once, and again without error'(driver) {
    for (const key of ['a/b', 'a/bc', 'a/b.c', 'a/d/e', 'ab']) await put(driver, key, [pattern(1)])
    await driver.delete('a/b', { signal: never })
    await driver.delete('a/b', { signal: never })
    await driver.delete('a/d', { signal: never })
    await driver.delete('nothing/at/all', { signal: never })
    await assertNotFound(driver, 'a/b')
    assert.deepEqual(await list(driver, ''), ['a/b.c 1', 'a/bc 1', 'a/d/e 1', 'ab 1'])
    await put(driver, 'a/b', [pattern(2)])
    assert.deepEqual(await list(driver, 'a/b'), ['a/b 2', 'a/b.c 1', 'a/bc 1'])
  },

  async 'puts side by side do not disturb each other, and of one key one stays whole'(driver) {
    const bodies = Array.from({ length: 8 }, (_, n) => Buffer.alloc(100_000, `${n}`))
    await Promise.all([
      ...bodies.map((body, n) => put(driver, `own/${n}`, [body.subarray(0, 50_000), body.subarray(50_000)])),
      ...bodies.map((body) => put(driver, 'shared', [body.subarray(0, 50_000), body.subarray(50_000)])),
    ])
    for (const [n, body] of bodies.entries())
      assert.ok(body.equals(await get(driver, `own/${n}`)), `own/${n} has the bytes of its own put`)
    const shared = await get(driver, 'shared')
    assert.ok(
      bodies.some((body) => body.equals(shared)),
      'a key that several have put has the bytes of one of them',
    )
  },

  async 'puts and deletes in one directory do not disturb each other'(driver) {
    await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        await put(driver, `dir/${n % 3}/${n}`, [pattern(n)])
        if (n % 2 === 0) await driver.delete(`dir/${n % 3}/${n}`, { signal: never })
      }),
    )
    assert.equal((await list(driver, 'dir/')).length, 20)
  },

  async 'an aborted put stops reading its body'(driver) {
    const abort = new AbortController()
    const reason = new Error('enough')
    let chunks = 0
    const body = produce(async function* () {
      for (; chunks < 1000; chunks++) {
        if (chunks === 100) abort.abort(reason)
        yield Buffer.alloc(65_536, chunks & 255)
      }
    })
    await rejectsWith(reason, 'put', driver.put('endless', body, { signal: abort.signal }))
    assert.ok(chunks < 500, `an aborted put went on for ${chunks - 100} chunks`)
    assert.deepEqual(await list(driver, ''), [])
  },

  async 'sweep leaves finished objects alone'(driver) {
    if (!driver.sweep) return
    await put(driver, 'a/b', [pattern(10)])
    await driver.sweep(new Date(Date.now() + 86_400_000), { signal: never })
    await driver.sweep(new Date(0), { signal: never })
    assert.deepEqual(await list(driver, ''), ['a/b 10'])
    assert.ok(pattern(10).equals(await get(driver, 'a/b')))
  },
}

const never = new AbortController().signal

/** Bytes that repeat with a period that no block size shares. */
function pattern(length: number): Buffer {
  return Buffer.alloc(length, Buffer.from(Array.from({ length: 251 }, (_, n) => n)))
}

function produce(body: () => AsyncGenerator<Uint8Array>): Bytes {
  return { [Symbol.asyncIterator]: body }
}

async function put(driver: StorageDriver, key: string, chunks: readonly Uint8Array[]): Promise<void> {
  const body = produce(async function* () {
    yield* chunks
  })
  await driver.put(key, body, { signal: never })
}

async function get(driver: StorageDriver, key: string): Promise<Buffer> {
  return Buffer.concat(await collect(driver.get(key, { signal: never })))
}

async function list(driver: StorageDriver, prefix: string): Promise<string[]> {
  return (await collect(driver.list(prefix, { signal: never }))).map(({ key, size }) => `${key} ${size}`)
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

/** How long a driver may take to notice that its signal has aborted. */
const noticeMs = 5_000

/** Says what it is that does not end, where the test runner's own time limit, if it has one, would not. */
async function rejectsWith(reason: Error, what: string, call: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} goes on ${noticeMs / 1000} s after its signal aborted`)),
      noticeMs,
    )
  })
  try {
    const error = await Promise.race([
      call.then(
        () => assert.fail(`${what} succeeds although its signal has aborted`),
        (thrown: unknown) => thrown,
      ),
      late,
    ])
    assert.equal(error, reason, `${what} rejects with the reason of its signal, not with ${String(error)}`)
  } finally {
    clearTimeout(timer)
  }
}

async function assertNotFound(driver: StorageDriver, key: string): Promise<void> {
  const error = await collect(driver.get(key, { signal: never })).then(
    () => assert.fail(`get ${key} succeeds although there is no such object`),
    (thrown: unknown) => thrown,
  )
  assert.ok(isHoldfastError(error), `get ${key} rejects with a HoldfastError, not ${String(error)}`)
  assert.equal(error.code, 'STORAGE_NOT_FOUND', `get ${key} rejects with STORAGE_NOT_FOUND, not ${error.code}`)
}
