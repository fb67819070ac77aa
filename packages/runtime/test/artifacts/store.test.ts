import { generateIdentity, identityToRecipient } from 'age-encryption'
import { createSecret, type Secrets } from '@holdfast/sdk'
import { memoryStorage, testClock } from '@holdfast/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createArtifactStore, listInstances } from '../../src/artifacts/store.ts'
import { captureLog, collect, failure, ids, readAll, request, says, setup, signal } from './support.ts'

const keysOf = (memory: { readonly objects: ReadonlyMap<string, Uint8Array> }): string[] =>
  [...memory.objects.keys()].toSorted()
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

describe('reading back', () => {
  test('any bit that flips in the data is found, by open and by verify', async () => {
    const { store, memory } = setup()
    const artifact = await store.create(request(), says('0123456789'.repeat(100)))
    const key = `${directory}/dump.data.zst`
    const { length } = memory.objects.get(key)!
    for (let at = 0; at < length; at++) {
      memory.fail({
        corrupt(read, bytes) {
          if (read === key) bytes[at]! ^= 0x40
          return bytes
        },
      })
      expect((await failure(store.verify(artifact.id, { signal }))).code).toBe('ARTIFACT_DIGEST')
      // The bytes that were decoded are what counts for open.
      const opened = await readAll(store, artifact.id).catch((error: unknown) => error)
      if (Buffer.isBuffer(opened)) expect(opened.toString()).toBe('0123456789'.repeat(100))
      else expect(opened).toMatchObject({ code: 'ARTIFACT_DIGEST' })
    }
  })

  test('too short, too long, another content: found at the end, and no byte more is handed out', async () => {
    for (const compression of ['none', 'zstd'] as const) {
      const { store, memory } = setup()
      const encoding = { compression, recipients: [], identity: undefined }
      const artifact = await store.create(request({ encoding }), (sink) => sink.write(Buffer.alloc(2_500_000, 'a')))
      const longer = await store.create(request({ encoding, run: 'longer' }), (sink) =>
        sink.write(Buffer.alloc(9_000_000, 'a')),
      )
      const other = await store.create(request({ encoding, run: 'other' }), (sink) =>
        sink.write(Buffer.alloc(2_500_000, 'b')),
      )
      const data = (id: string): Uint8Array =>
        memory.objects.get(`default/${id}.data${compression === 'zstd' ? '.zst' : ''}`)!
      for (const [replacement, reason] of [
        [data(longer.id), 'more than its 2500000 bytes'],
        [data(other.id), 'another SHA-256'],
        [data(artifact.id).subarray(0, -1), compression === 'none' ? '2499999 bytes instead' : 'cannot be decoded'],
        [new Uint8Array(), compression === 'none' ? '0 bytes instead' : 'cannot be decoded'],
      ] as const) {
        memory.fail({ corrupt: (key, bytes) => (key.includes('run1/dump.data') ? replacement : bytes) })
        let handed = 0
        const error = await failure(
          (async () => {
            for await (const chunk of store.open(artifact.id, { signal })) handed += chunk.length
          })(),
        )
        expect(error.code).toBe('ARTIFACT_DIGEST')
        expect(error.message).toContain(reason)
        expect(handed).toBeLessThanOrEqual(2_500_000)
      }
    }
  })

  test('data that is gone is told as that', async () => {
    const { store, memory } = setup()
    const { id } = await store.create(request(), says('x'))
    await memory.delete(`${directory}/dump.data.zst`, { signal })
    expect((await failure(readAll(store, id))).code).toBe('ARTIFACT_DATA_MISSING')
    expect((await failure(store.verify(id, { signal }))).code).toBe('ARTIFACT_DATA_MISSING')
    expect((await store.get(id)).state).toBe('invalid')
  })

  test('an id that is not there: the nearest ones are named', async () => {
    const { store } = setup()
    for (const run of ['run1', 'run2', 'run3', 'run4']) await store.create(request({ run }), says('x'))
    await store.create(request({ plan: 'mail', target: 'inbox' }), says('x'))
    const error = await failure(readAll(store, 'shop/orders/20261123T030000.000Z-run2/dunp'))
    expect(error.code).toBe('ARTIFACT_NOT_FOUND')
    expect(error.hint).toMatch(/^Nearest: shop\/orders\/20261123T030000.000Z-run2\/dump, /)
    for (const id of ['', '../../etc/passwd', 'shop', 'a/b/c/d'])
      expect((await failure(store.get(id))).code).toBe('ARTIFACT_NOT_FOUND')
    const empty = setup()
    expect((await failure(empty.store.get('x'))).hint).toBe('See `holdfast list`.')
  })

  test('reading can be stopped at any time', async () => {
    const { store } = setup()
    const { id } = await store.create(request(), (sink) => sink.write(Buffer.alloc(5_000_000)))
    for await (const chunk of store.open(id, { signal })) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    const abort = new AbortController()
    const reading = (async () => {
      for await (const chunk of store.open(id, { signal: abort.signal }))
        abort.abort(new Error(`stop at ${chunk.length}`))
    })()
    await expect(reading).rejects.toThrow(/stop at/)
  })
})

describe('encryption', async () => {
  const identity = await generateIdentity()
  const recipients = [await identityToRecipient(identity)]
  const encoding = { compression: 'zstd', recipients, identity: undefined } as const
  const secrets: Secrets = {
    open: async (ref) => createSecret('env' in ref && ref.env === 'RIGHT' ? identity : await generateIdentity()),
  }

  test('is decoded by the right identity, and says what is missing without', async () => {
    const { store, memory, clock, log } = setup({ secrets, identities: () => [{ env: 'RIGHT' }] })
    const artifact = await store.create(request({ encoding }), says('secret'))
    expect(artifact.encoding).toEqual(['zstd', 'age'])
    expect((await readAll(store, artifact.id)).toString()).toBe('secret')
    expect((await store.verify(artifact.id, { signal })).verification?.checked).toBe('decoded')
    const blind = createArtifactStore({ driver: memory, instance: 'default', clock, log })
    expect((await failure(readAll(blind, artifact.id))).code).toBe('ARTIFACT_KEY_MISSING')
    const wrong = createArtifactStore({
      driver: memory,
      instance: 'default',
      clock,
      log,
      secrets,
      identities: () => [{ env: 'WRONG' }],
    })
    expect((await failure(readAll(wrong, artifact.id))).code).toBe('ARTIFACT_DECRYPT')
    expect((await failure(wrong.verify(artifact.id, { signal }))).code).toBe('ARTIFACT_DECRYPT')
    // A wrong key is no damage.
    expect((await blind.get(artifact.id)).state).toBe('valid')
  })

  test('without an identity the stored bytes are verified, and the record says that no more was', async () => {
    const { store, memory } = setup()
    const artifact = await store.create(request({ encoding }), says('secret'))
    const verified = await store.verify(artifact.id, { signal })
    expect(verified.verification).toMatchObject({ result: 'verified', checked: 'stored' })
    expect(verified.verifiedAt).toBeDefined()
    memory.fail({
      corrupt(key, bytes) {
        if (key.includes('.data')) bytes[20]! ^= 1
        return bytes
      },
    })
    expect((await failure(store.verify(artifact.id, { signal }))).code).toBe('ARTIFACT_DIGEST')
  })

  test('a damaged beginning is told from a wrong key', async () => {
    const { store, memory } = setup({ secrets, identities: () => [{ env: 'RIGHT' }] })
    const artifact = await store.create(request({ encoding }), says('secret'))
    memory.fail({
      corrupt(key, bytes) {
        if (key.includes('.data')) bytes[60]! ^= 1
        return bytes
      },
    })
    expect((await failure(store.verify(artifact.id, { signal }))).code).toBe('ARTIFACT_DIGEST')
    expect((await store.get(artifact.id)).state).toBe('invalid')
  })
})

describe('list', () => {
  test('is newest first, by run, and filters by plan, target and name', async () => {
    const { store } = setup()
    const at = (hour: number): Date => new Date(Date.UTC(2026, 10, 23, hour))
    await store.create(request({ run: 'b', startedAt: at(2) }), says('x'))
    await store.create(request({ run: 'a', startedAt: at(3), name: 'z' }), says('x'))
    await store.create(request({ run: 'a', startedAt: at(3), name: 'a' }), says('x'))
    await store.create(request({ run: 'c', startedAt: at(1), target: 'users' }), says('x'))
    await store.create(request({ run: 'd', startedAt: at(4), plan: 'shop2' }), says('x'))
    const of = async (selection: object): Promise<string[]> =>
      (await collect(store.list(selection))).map(({ run, name }) => `${run} ${name}`)
    expect(await of({})).toEqual(['d dump', 'a a', 'a z', 'b dump', 'c dump'])
    expect(await of({ plan: 'shop' })).toEqual(['a a', 'a z', 'b dump', 'c dump'])
    expect(await of({ target: 'orders' })).toEqual(['d dump', 'a a', 'a z', 'b dump'])
    expect(await of({ plan: 'shop', target: 'users' })).toEqual(['c dump'])
    expect(await of({ plan: 'shop', name: 'dump' })).toEqual(['b dump', 'c dump'])
    expect(await of({ plan: 'nothing' })).toEqual([])
  })

  test('an unreadable manifest is told and hides no other', async () => {
    const { store, memory, log } = setup()
    for (const run of ['r1', 'r2', 'r3']) await store.create(request({ run }), says('x'))
    const bad = 'shop/orders/20261123T030000.000Z-r2/dump'
    await memory.put(`default/${bad}.manifest.json`, [Buffer.from('{')] as never, { signal })
    const problems: string[] = []
    const listed = await collect(store.list({ onProblem: ({ code }) => problems.push(code) }))
    expect(listed.map(({ run }) => run)).toEqual(['r1', 'r3'])
    expect(problems).toEqual(['MANIFEST_INVALID'])
    expect(log.warnings.join()).toContain(`${bad}.manifest.json`)
    expect((await failure(store.get(bad))).code).toBe('MANIFEST_INVALID')
    await memory.put(`default/${bad}.manifest.json`, [Buffer.from('{"schema":9}')] as never, { signal })
    expect((await failure(store.get(bad))).code).toBe('MANIFEST_NEWER')
    await store.create(request({ run: 'r4' }), says('x'))
  })

  test('10,000 artifacts, with no more than a few requests at once', async () => {
    const { store, memory } = setup()
    const { id } = await store.create(request(), says('x'))
    const manifest = Buffer.from(memory.objects.get(`default/${id}.manifest.json`)!).toString()
    for (let n = 0; n < 10_000; n++) {
      const own = id.replace('run1', `r${n}`)
      await memory.put(`default/${own}.manifest.json`, [Buffer.from(manifest.replace(id, own))] as never, { signal })
    }
    let now = 0
    let most = 0
    const get = memory.get.bind(memory)
    Object.assign(memory, {
      async *get(...args: Parameters<typeof get>) {
        most = Math.max(most, ++now)
        await new Promise((resolve) => setImmediate(resolve))
        try {
          yield* get(...args)
        } finally {
          now--
        }
      },
    })
    expect(await collect(store.list())).toHaveLength(10_001)
    expect(most).toBeGreaterThan(4)
    expect(most).toBeLessThanOrEqual(32)
  })

  test('damaged marks say nothing, and hide nothing', async () => {
    const { store, memory } = setup()
    const { id } = await store.create(request(), says('x'))
    await store.verify(id, { signal })
    for (const text of ['', 'garbage', '{}', '{"schema":2}', '{"schema":1,"at":"never"}']) {
      await memory.put(`default/${id}.verified.json`, [Buffer.from(text)] as never, { signal })
      await memory.put(`default/${id}.accepted.json`, [Buffer.from(text)] as never, { signal })
      expect(await store.get(id)).toMatchObject({ state: 'valid', verifiedAt: undefined })
    }
  })
})

describe('fault F50', () => {
  test('removing and sweeping touch nothing but what is named', async () => {
    const { store, memory, clock, log } = setup()
    const theirs = createArtifactStore({ driver: memory, instance: 'default2', clock, log })
    const foreign = [
      `${directory}/dump.data.bak`,
      `${directory}/dump.manifest.json.copy`,
      `${directory}/notes.txt`,
      'default/shop/.owner/s~h.json',
      'default/shop/orders/19990101-x/dump.data',
      'default/README',
      'elsewhere/shop/orders/20261123T030000.000Z-run1/dump.data.zst',
      'default-other/shop/orders/20261123T030000.000Z-run1/dump.data.zst',
    ]
    for (const key of foreign) await memory.put(key, [Buffer.from('theirs')] as never, { signal })
    const { id } = await store.create(request(), says('x'))
    await theirs.create(request(), says('x'))
    await store.create(request({ name: 'dump2' }), says('x'))
    const before = keysOf(memory)
    await store.remove(id)
    const removed = before.filter((key) => !memory.objects.has(key))
    expect(removed).toEqual([`${directory}/dump.data.zst`, `${directory}/dump.manifest.json`])
    expect(await store.sweep({ before: new Date('2100-01-01') })).toEqual([])
    expect(keysOf(memory)).toEqual(before.filter((key) => !removed.includes(key)))
    expect(await ids(theirs)).toHaveLength(1)
  })

  test('sweeping removes old leftovers of the plan and nothing else', async () => {
    const { store, memory } = setup()
    const leave = async (run: string, startedAt: string, plan = 'shop', name = 'dump'): Promise<string> => {
      const { id } = await store.create(request({ run, startedAt: new Date(startedAt), plan, name }), says('x'))
      await memory.delete(`default/${id}.manifest.json`, { signal })
      return id
    }
    const old = await leave('old', '2026-11-20T00:00:00Z')
    const twin = await leave('old', '2026-11-20T00:00:00Z', 'shop', 'other')
    const recent = await leave('recent', '2026-11-23T02:00:00Z')
    const other = await leave('old', '2026-11-20T00:00:00Z', 'mail')
    const { id: kept } = await store.create(request({ run: 'good', startedAt: new Date('2026-11-19') }), says('x'))
    await store.verify(kept, { signal })
    const swept = await store.sweep({ plan: 'shop', before: new Date('2026-11-22') })
    expect(swept.toSorted()).toEqual([old, twin].toSorted())
    expect(keysOf(memory)).toEqual(
      [
        `default/${other}.data.zst`,
        `default/${kept}.data.zst`,
        `default/${kept}.manifest.json`,
        `default/${kept}.verified.json`,
        `default/${recent}.data.zst`,
      ].toSorted(),
    )
    expect((await readAll(store, kept)).toString()).toBe('x')
  })

  test('what is being made is no leftover', async () => {
    const { store } = setup()
    const artifact = await store.create(request(), async (sink) => {
      await sink.write(Buffer.alloc(3_000_000))
      expect(await store.sweep({ before: new Date('2100-01-01') })).toEqual([])
    })
    await store.verify(artifact.id, { signal })
  })
})

describe('remove', () => {
  test('takes the manifest first, so that a crash leaves no lie', async () => {
    const { store, memory } = setup()
    const { id } = await store.create(request(), says('x'))
    await store.verify(id, { signal })
    const order: string[] = []
    const remove = memory.delete.bind(memory)
    Object.assign(memory, {
      delete: async (...args: Parameters<typeof remove>) => {
        order.push(args[0].slice(`default/${id}.`.length))
        if (order.length === 2) throw new Error('killed')
        await remove(...args)
      },
    })
    await failure(store.remove(id))
    expect(order).toEqual(['manifest.json', 'data.zst'])
    expect(await ids(store)).toEqual([])
    // Removing goes on where it was interrupted.
    await store.remove(id)
    expect(keysOf(memory)).toEqual([])
    expect((await failure(store.remove(id))).code).toBe('ARTIFACT_NOT_FOUND')
  })
})

test('a store that may only be read is verified all the same', async () => {
  const { store, memory, log } = setup()
  const { id } = await store.create(request(), says('x'))
  const readOnly = await failure(store.get('nothing'))
  Object.assign(readOnly, { code: 'STORAGE_READ_ONLY' })
  Object.assign(memory, { put: () => Promise.reject(readOnly) })
  expect(await store.verify(id, { signal })).toMatchObject({ verification: { result: 'verified' } })
  expect(log.warnings.join()).toContain('could not be written down')
  expect((await store.get(id)).verifiedAt).toBeUndefined()
})

test('accepting an artifact that is not suspect changes nothing', async () => {
  const { store, memory } = setup()
  const { id } = await store.create(request(), says('x'))
  const before = keysOf(memory)
  expect((await store.accept(id)).state).toBe('valid')
  expect(keysOf(memory)).toEqual(before)
})

test('a machine that knows only the address finds the instances', async () => {
  const driver = memoryStorage()
  for (const instance of ['prod', 'ü/1'])
    await createArtifactStore({ driver, instance, clock: testClock(), log: captureLog() }).create(request(), says('x'))
  await driver.put('backup.tar', [Buffer.from('x')] as never, { signal })
  expect((await listInstances(driver)).toSorted()).toEqual(['prod', 'ü/1'])
})
