import { memoryStorage } from '@holdfast/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { collect, failure, ids, keysOf, readAll, request, says, setup, signal } from './support.ts'

const directory = 'default/shop/orders/20261123T030000.000Z-run1'

describe('create', () => {
  test('an artifact is its data and, last of all, its manifest', async () => {
    const { store, memory, clock } = setup()
    const order: string[] = []
    const put = memory.put.bind(memory)
    Object.assign(memory, {
      put: async (...args: Parameters<typeof put>) => {
        await put(...args)
        order.push(args[0])
      },
    })
    const artifact = await store.create(request({ meta: { rows: 3 } }), async (sink) => {
      await sink.write(Buffer.from('hello '))
      await clock.advance('7s')
      await sink.write(Buffer.from('world'))
    })
    expect(order).toEqual([`${directory}/dump.data.zst`, `${directory}/dump.manifest.json`])
    expect(artifact).toMatchObject({
      id: 'shop/orders/20261123T030000.000Z-run1/dump',
      instance: 'default',
      plan: 'shop',
      target: 'orders',
      run: 'run1',
      name: 'dump',
      size: 11,
      sha256: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
      storedSize: memory.objects.get(`${directory}/dump.data.zst`)?.length,
      encoding: ['zstd'],
      state: 'valid',
      meta: { rows: 3 },
    })
    expect(artifact.createdAt).toEqual(new Date('2026-11-23T03:00:07Z'))
    expect(await collect(store.list())).toEqual([artifact])
    expect(await store.get(artifact.id)).toEqual(artifact)
    expect((await readAll(store, artifact.id)).toString()).toBe('hello world')
  })

  test('it is listed by nobody before it is complete', async () => {
    const { store } = setup()
    await store.create(request(), async (sink) => {
      await sink.write(Buffer.alloc(5_000_000))
      expect(await ids(store)).toEqual([])
    })
    expect(await ids(store)).toHaveLength(1)
  })

  test('names and targets of any kind are stored and found', async () => {
    const { store } = setup()
    const names = ['', '../x', 'a/b', 'ü', '.', '..', '-rf', '_', "it's", 'x.manifest.json', 'dump.data.zst']
    for (const name of names) await store.create(request({ name, target: name }), says(name || 'x'))
    const listed = await collect(store.list())
    expect(listed.map((artifact) => artifact.name).toSorted()).toEqual(names.toSorted())
    for (const { id, name, target } of listed) {
      expect(id).toMatch(/^[\w%./-]+$/)
      expect((await readAll(store, id)).toString()).toBe(name || 'x')
      expect(await collect(store.list({ plan: 'shop', target }))).toHaveLength(1)
    }
  })

  test('a second one of the same name is refused, also while the first is being made', async () => {
    const { store } = setup()
    let second: Promise<unknown> = Promise.resolve()
    await store.create(request(), async (sink) => {
      second = failure(store.create(request(), says('second')))
      await sink.write(Buffer.from('first'))
    })
    expect(await second).toMatchObject({ code: 'ARTIFACT_EXISTS' })
    expect(await failure(store.create(request(), says('third')))).toMatchObject({ code: 'ARTIFACT_EXISTS' })
    expect((await readAll(store, 'shop/orders/20261123T030000.000Z-run1/dump')).toString()).toBe('first')
    await store.create(request({ run: 'run2' }), says('of another run'))
    await store.create(request({ target: 'users' }), says('of another target'))
  })

  test('a failed one can be made again', async () => {
    const { store } = setup()
    await failure(store.create(request(), () => Promise.reject(new Error('no'))))
    await store.create(request(), says('now'))
    expect(await ids(store)).toHaveLength(1)
  })

  test('an abort gives it up, also when the producer does not listen', async () => {
    const { store, memory } = setup()
    const abort = new AbortController()
    const hung = store.create(request({ signal: abort.signal }), async (sink) => {
      await sink.write(Buffer.alloc(3_000_000))
      setTimeout(() => abort.abort(new Error('shutting down')), 5)
      await new Promise(() => {})
    })
    const error = await failure(hung)
    expect(error.code).toBe('ARTIFACT_ABORTED')
    expect(error.message).toContain('shutting down')
    expect(keysOf(memory)).toEqual([])
    expect((await failure(store.create(request({ signal: abort.signal }), says('x')))).code).toBe('ARTIFACT_ABORTED')
  })

  test("the run's own reason for an abort stays what it is", async () => {
    const { store } = setup()
    const reason = await failure(store.get('nothing'))
    const error = await failure(store.create(request({ signal: AbortSignal.abort(reason) }), says('x')))
    expect(error).toBe(reason)
  })

  test('a producer that swallows the error of a write is not believed', async () => {
    const { store, memory } = setup()
    memory.fail({ failPut: { number: 1 } })
    const error = await failure(
      store.create(
        request({ encoding: { compression: 'none', recipients: [], identity: undefined } }),
        async (sink) => {
          for (let n = 0; n < 5; n++) await sink.write(Buffer.alloc(1_048_576)).catch(() => {})
        },
      ),
    )
    expect(error.code).toBe('STORAGE_IO')
    expect(keysOf(memory)).toEqual([])
  })

  test('a driver that is content with half of it has stored nothing', async () => {
    const driver = memoryStorage()
    const half = { ...driver, put: async () => {} }
    const { store } = setup({ driver: half })
    expect(await failure(store.create(request(), says('x')))).toMatchObject({
      code: 'STORAGE_IO',
      message: expect.stringContaining('did not read all'),
    })
  })

  test('an error of a driver that is no HoldfastError becomes one', async () => {
    const driver = { ...memoryStorage(), put: () => Promise.reject(new Error('socket hang up')) }
    const { store } = setup({ driver })
    const error = await failure(store.create(request(), says('x')))
    expect(error).toMatchObject({
      code: 'STORAGE_IO',
      retryable: true,
      message: expect.stringContaining('socket hang up'),
    })
  })

  test('when the manifest cannot be written, there is no artifact and no data', async () => {
    const { store, memory } = setup()
    memory.fail({ failPut: { number: 2 } })
    expect((await failure(store.create(request(), says('x')))).code).toBe('STORAGE_IO')
    expect(keysOf(memory)).toEqual([])
  })

  test('what cannot be cleaned up is said, and the first error stays', async () => {
    const { store, memory, log } = setup()
    memory.fail({ failPut: { number: 2 } })
    Object.assign(memory, { delete: () => Promise.reject(new Error('still down')) })
    expect((await failure(store.create(request(), says('x')))).message).toContain('dump.manifest.json')
    expect(log.warnings.join()).toContain('still down')
    expect(await ids(store)).toEqual([])
  })

  test('writes after the producer ended are refused and change nothing', async () => {
    const { store } = setup()
    let late: Promise<unknown> = Promise.resolve()
    const artifact = await store.create(request(), (sink) => {
      void sink.write(Buffer.from('not waited for'))
      setTimeout(() => {
        late = failure(sink.write(Buffer.from('late')))
      }, 20)
    })
    expect((await readAll(store, artifact.id)).toString()).toBe('not waited for')
    await new Promise((resolve) => setTimeout(resolve, 40))
    expect(await late).toMatchObject({ code: 'ARTIFACT_SINK_CLOSED' })
  })
})

describe('fault F46', () => {
  const dump = Buffer.alloc(3_000_000, 'partial output ')

  test('the producer fails after partial output: no artifact, nothing left, its error is the cause', async () => {
    const { store, memory } = setup()
    const exit = new Error('mongodump exited with 1')
    const error = await failure(
      store.create(request(), async (sink) => {
        await sink.write(dump)
        throw exit
      }),
    )
    expect(error.code).toBe('ARTIFACT_PRODUCE_FAILED')
    expect(error.message).toContain('mongodump exited with 1')
    expect(error.cause).toBe(exit)
    expect(keysOf(memory)).toEqual([])
    expect(await ids(store)).toEqual([])
  })

  test('a HoldfastError of the producer stays what it is', async () => {
    const { store, memory } = setup()
    const killed = await failure(store.get('anything'))
    const error = await failure(
      store.create(request(), async (sink) => {
        await sink.write(dump)
        throw killed
      }),
    )
    expect(error).toBe(killed)
    expect(keysOf(memory)).toEqual([])
  })

  test('0 bytes and exit 0 is too small', async () => {
    const { store, memory } = setup()
    const error = await failure(store.create(request(), () => {}))
    expect(error.code).toBe('ARTIFACT_TOO_SMALL')
    expect(keysOf(memory)).toEqual([])
    const atLeast = await failure(store.create(request({ minSize: 1000 }), says('short')))
    expect(atLeast.details).toMatchObject({ size: 5, minSize: 1000 })
    expect(await store.create(request({ minSize: 0 }), () => {})).toMatchObject({ size: 0 })
  })
})

describe('fault F48', () => {
  test('the store fails at any byte: no artifact, nothing left, the store says why', async () => {
    const bytes = Buffer.alloc(4_000_000)
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('none', 'zstd', 'gzip' as const),
        fc.nat(1),
        fc.nat(3_999_000),
        async (compression, number, afterBytes) => {
          const { store, memory } = setup()
          memory.fail(
            number === 0
              ? { failPut: { number: 1, afterBytes: compression === 'none' ? afterBytes : 3 } }
              : { capacity: 30 },
          )
          const error = await failure(
            store.create(request({ encoding: { compression, recipients: [], identity: undefined } }), (sink) =>
              sink.write(bytes),
            ),
          )
          expect(error.code).toBe(number === 0 ? 'STORAGE_IO' : 'STORAGE_FULL')
          expect(keysOf(memory)).toEqual([])
        },
      ),
      { numRuns: 20 },
    )
  })

  test('the producer hears the error of the store, not one about a closed pipe', async () => {
    const { store, memory } = setup()
    memory.fail({ capacity: 10 })
    let heard: unknown
    await failure(
      store.create(
        request({ encoding: { compression: 'none', recipients: [], identity: undefined } }),
        async (sink) => {
          try {
            for (;;) await sink.write(Buffer.alloc(1_048_576))
          } catch (error) {
            heard = error
            throw error
          }
        },
      ),
    )
    expect(heard).toMatchObject({ code: 'STORAGE_FULL' })
  })

  test('a slow store slows the producer down instead of filling the memory', async () => {
    const { store, memory } = setup()
    let stored = 0
    memory.fail({ delay: () => new Promise((resolve) => setTimeout(resolve, 5)).then(() => void stored++) })
    let written = 0
    let furthest = 0
    await store.create(
      request({ encoding: { compression: 'none', recipients: [], identity: undefined } }),
      async (sink) => {
        for (; written < 20; written++) {
          await sink.write(Buffer.alloc(1_048_576))
          furthest = Math.max(furthest, written - stored)
        }
      },
    )
    expect(furthest).toBeLessThanOrEqual(4)
  })

  test('wrong bytes read back: verification finds them, and the artifact counts as damaged from then on', async () => {
    const { store, memory, clock } = setup()
    const artifact = await store.create(request(), says('precious'))
    expect((await store.verify(artifact.id, { signal })).verifiedAt).toEqual(clock.now())
    memory.fail({
      corrupt(key, bytes) {
        if (key.includes('.data')) bytes[bytes.length >> 1]! ^= 1
        return bytes
      },
    })
    const error = await failure(store.verify(artifact.id, { signal }))
    expect(error.code).toBe('ARTIFACT_DIGEST')
    const after = await store.get(artifact.id)
    expect(after).toMatchObject({ state: 'invalid', reason: error.message, verifiedAt: undefined })
    memory.fail({})
    await store.verify(artifact.id, { signal })
    expect(await store.get(artifact.id)).toMatchObject({ state: 'valid', verifiedAt: clock.now() })
  })

  test('a store that cannot be reached proves nothing: an earlier verification stays', async () => {
    const { store, memory } = setup()
    const artifact = await store.create(request(), says('precious'))
    const { verifiedAt } = await store.verify(artifact.id, { signal })
    const get = memory.get.bind(memory)
    Object.assign(memory, {
      get: (...args: Parameters<typeof get>) => {
        if (args[0].includes('.data')) throw new Error('connection reset')
        return get(...args)
      },
    })
    expect((await failure(store.verify(artifact.id, { signal }))).code).toBe('STORAGE_IO')
    expect(await store.get(artifact.id)).toMatchObject({ state: 'valid', verifiedAt })
  })
})
