import { memoryStorage, testClock } from '@holdfast/testing'
import { describe, expect, test } from 'vitest'
import { createArtifactStore, listInstances } from '../../src/artifacts/store.ts'
import { captureLog, collect, failure, ids, keysOf, readAll, request, says, setup, signal } from './support.ts'

const directory = 'default/shop/orders/20261123T030000.000Z-run1'

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
