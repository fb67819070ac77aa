import { memoryStorage, storageConformance, testClock } from '@holdfast/testing'
import type { Bytes, StorageDriver } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { boundedDriver } from '../../src/artifacts/bounded-driver.ts'
import { collect, failure, signal } from './support.ts'

const idleMs = 60_000

describe('a driver that works is one all the same', () => {
  for (const { name, run } of storageConformance(async () => ({
    driver: boundedDriver(memoryStorage(), { clock: testClock(), idleMs }),
  })))
    test(name, run)
})

/** A store of which nothing ever comes, and which listens to nobody. */
function stuck(): StorageDriver & { readonly read: Uint8Array[] } {
  const never = new Promise<never>(() => {})
  const read: Uint8Array[] = []
  return {
    name: 'stuck',
    read,
    capabilities: { atomicPut: true, rangeRead: true, objectLock: false },
    async put(_key, body) {
      for await (const chunk of body) {
        read.push(chunk)
        await never
      }
    },
    async *get() {
      yield Buffer.from('first')
      await never
    },
    async *list() {
      yield { key: 'a', size: 1 }
      await never
    },
    delete: () => never,
    sweep: () => never,
  }
}

async function* chunks(onClose: () => void = () => {}): Bytes & AsyncGenerator<Uint8Array> {
  try {
    for (;;) yield Buffer.alloc(10)
  } finally {
    onClose()
  }
}

const operations: Readonly<Record<string, (driver: StorageDriver, by: AbortSignal) => Promise<unknown>>> = {
  put: (driver, by) => driver.put('k', chunks(), { signal: by }),
  get: (driver, by) => collect(driver.get('k', { signal: by })),
  list: (driver, by) => collect(driver.list('k', { signal: by })),
  delete: (driver, by) => driver.delete('k', { signal: by }),
  sweep: async (driver, by) => driver.sweep?.(new Date(), { signal: by, prefix: 'k' }),
}

describe.each(Object.entries(operations))('%s of a store that hangs', (operation, call) => {
  test('ends when nothing has moved for so long', async () => {
    const clock = testClock()
    const error = failure(call(boundedDriver(stuck(), { clock, idleMs }), signal))
    await clock.advance(idleMs - 1)
    expect(clock.pending).toBe(1)
    await clock.advance(1)
    expect(await error).toMatchObject({ code: 'STORAGE_STALLED', details: { operation, key: 'k', idle: '1m' } })
    expect(clock.pending).toBe(0)
  })

  test('ends at once when it is aborted, before or meanwhile', async () => {
    const clock = testClock()
    const abort = new AbortController()
    const ended = call(boundedDriver(stuck(), { clock, idleMs }), abort.signal)
    const reason = new Error('enough')
    setTimeout(() => abort.abort(reason), 1)
    await expect(ended).rejects.toBe(reason)
    await expect(call(boundedDriver(stuck(), { clock, idleMs }), abort.signal)).rejects.toBe(reason)
    expect(clock.pending).toBe(0)
  })
})

test('the source of a put is closed when its reader hangs', async () => {
  const clock = testClock()
  const closed = Promise.withResolvers<void>()
  const ended = failure(boundedDriver(stuck(), { clock, idleMs }).put('k', chunks(closed.resolve), { signal }))
  await clock.advance(idleMs)
  expect((await ended).code).toBe('STORAGE_STALLED')
  await closed.promise
})

test('a store that hangs over a source that has failed is given up, too', async () => {
  const clock = testClock()
  const hanging = boundedDriver(
    {
      ...stuck(),
      async put(_key, body) {
        try {
          for await (const chunk of body) if (chunk.length === 0) return
        } finally {
          // Takes back what it has, of a service that doesn't answer.
          await new Promise(() => {})
        }
      },
    },
    { clock, idleMs },
  )
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('some')
    await Promise.reject(new Error('the source is broken'))
  }
  const put = hanging.put('k', broken(), { signal })
  let isOver = false
  put.catch(() => {}).finally(() => (isOver = true))
  for (let step = 0; step < 10 && !isOver; step++) await clock.advance('1m')
  expect(isOver).toBe(true)
  expect((await failure(put)).code).toBe('STORAGE_STALLED')
})

test('a store that moves now and then is not given up, however long it takes', async () => {
  const clock = testClock()
  const memory = memoryStorage({ delay: () => clock.sleep(idleMs - 1) })
  const driver = boundedDriver(memory, { clock, idleMs })
  async function* hours(): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < 100; n++) yield Buffer.alloc(10)
  }
  const done = driver.put('k', hours(), { signal })
  for (let n = 0; n < 101; n++) await clock.advance(idleMs - 1)
  await done
  expect(memory.objects.get('k')).toHaveLength(1000)
})

test('whoever reads slowly, or gives slowly, is not the store', async () => {
  const clock = testClock()
  const memory = memoryStorage()
  const driver = boundedDriver(memory, { clock, idleMs })
  async function* slow(): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < 3; n++) {
      await clock.sleep(10 * idleMs)
      yield Buffer.alloc(10)
    }
  }
  const put = driver.put('k', slow(), { signal })
  for (let n = 0; n < 3; n++) await clock.advance(10 * idleMs)
  await put
  for (const open of [(): AsyncIterable<unknown> => driver.get('k', { signal }), () => driver.list('', { signal })]) {
    let seen = 0
    for await (const item of open()) {
      expect(item).toBeDefined()
      seen++
      await clock.advance(10 * idleMs)
    }
    expect(seen).toBe(1)
  }
})
