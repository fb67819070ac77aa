// What goes wrong with a drill is as loud as a backup that fails, and nothing stays of it.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { advanceUntil, createTestRun, memoryStorage, type MemoryStorage, type TestRun } from '@holdfast/testing'
import { defineHook, type Drill, type DrillContext, type HookModule } from '@holdfast/sdk'
import { fsStorage } from '@holdfast/runtime'
import { describe, expect, onTestFinished, test } from 'vitest'
import { behave, type Behaviour } from '../lifecycle/hooks.ts'
import { backedUp, database, databaseDrill, drillRun, files, read, scratches, server, until } from './support.ts'

/** Hears what the plan's own observers hear. */
function observers(heard: string[]): readonly HookModule[] {
  return (['onError', 'onFinish'] as const).map((hook) =>
    defineHook(
      hook,
      ({ outcome, run }) =>
        void heard.push(`${hook} ${run.trigger} ${run.drill} ${outcome.status} ${outcome.error?.code}`),
      { name: hook },
    ),
  )
}

describe('a restore that fails', () => {
  test.each<[Behaviour, string]>([
    ['throws', 'DRILL_RESTORE_FAILED'],
    ['hangs', 'RUN_BUDGET'],
    ['ignores abort', 'HOOK_ABANDONED'],
  ])('because the plugin %s: the drill fails, expects nothing, and cleans up', async (behaviour, code) => {
    const world = server()
    const heard: string[] = []
    let expected = false
    const drill = databaseDrill(world, { budget: '2m', expect: () => (expected = true) })
    const run = await backedUp({ use: [database(world), ...observers(heard)], drills: [drill] })
    heard.length = 0
    world.restoring = behaviour
    const { outcome, restored } = await advanceUntil(run.clock, run.drill())
    expect(outcome).toMatchObject({ status: 'failed', error: { code, hint: expect.any(String) as string } })
    expect(expected).toBe(false)
    expect(restored).toEqual([])
    // It had been made before the restore failed.
    expect([...world.databases.keys()]).toEqual(['shop'])
    expect(scratches(run)).toEqual([])
    expect(heard).toEqual([`onError drill weekly failed ${code}`, `onFinish drill weekly failed ${code}`])
    expect(await read(run, 'holdfast_restore_drill_runs_total')).toMatchObject({
      'weekly failed': 1,
      'weekly succeeded': 0,
    })
    expect(outcome.targets).toMatchObject([
      { status: 'failed', verification: 'unverified', reason: expect.stringMatching(/^did not restore /) as string },
    ])
  })
})

describe('an expectation that is not met', () => {
  const cases: readonly [what: string, expects: (ctx: DrillContext) => unknown, reason: string][] = [
    ['an assertion', () => assert.equal(3, 100), 'Expected values to be strictly equal: 3 !== 100'],
    ['any error', () => Promise.reject(new Error('no orders')), 'no orders'],
    ['an answer of false', () => false, 'it answered false'],
    ['a command that fails', ({ exec }) => exec.local({ command: ['false'] }), 'failed with exit code 1'],
  ]
  test.each(cases)('%s: the drill fails and says it in one line, and cleans up', async (_, expects, reason) => {
    const world = server()
    const run = await backedUp({ use: [database(world)], drills: [databaseDrill(world, { expect: expects })] })
    const { outcome, restored } = await run.drill()
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { code: 'DRILL_EXPECTATION', message: expect.stringContaining(reason) as string, hook: 'expect' },
    })
    expect(outcome.error?.message).not.toContain('\n')
    expect(restored).toHaveLength(1)
    expect([...world.databases.keys()]).toEqual(['shop'])
    expect(scratches(run)).toEqual([])
    expect(run.engine.journal.runs({ limit: 1 })).toMatchObject([
      { status: 'failed', error: { code: 'DRILL_EXPECTATION' } },
    ])
  })

  test.each<[Behaviour, string]>([
    ['hangs', 'DRILL_TIMEOUT'],
    ['ignores abort', 'HOOK_ABANDONED'],
  ])('one that %s has its own time, and the cleanup has its own after it', async (behaviour, code) => {
    const world = server()
    const drill = databaseDrill(world, {
      expect: ({ signal }) => behave(behaviour, signal),
      timeouts: { expect: '1m' },
    })
    const run = await backedUp({ use: [database(world)], drills: [drill] })
    const began = run.clock.monotonic()
    const { outcome } = await advanceUntil(run.clock, run.drill())
    expect(outcome).toMatchObject({ status: 'failed', error: { code } })
    expect(run.clock.monotonic() - began).toBeLessThanOrEqual(2 * 60_000)
    expect([...world.databases.keys()]).toEqual(['shop'])
    expect(scratches(run)).toEqual([])
  })
})

describe('nothing that could be restored', () => {
  test('no restore point at all: the drill fails', async () => {
    const world = server()
    const heard: string[] = []
    const run = await drillRun({ use: [database(world), ...observers(heard)], drills: [databaseDrill(world)] })
    const { outcome } = await run.drill()
    expect(outcome).toMatchObject({
      status: 'failed',
      targets: [],
      error: {
        code: 'DRILL_NO_BACKUP',
        message: 'drill "weekly" has nothing to restore: plan "test" has no restore point',
      },
    })
    expect(heard).toEqual([
      'onError drill weekly failed DRILL_NO_BACKUP',
      'onFinish drill weekly failed DRILL_NO_BACKUP',
    ])
    expect(run.journal).not.toContain('armed drill-cleanup')
  })

  test('none of the target that it names', async () => {
    const world = server()
    const run = await backedUp({ use: [database(world)], drills: [databaseDrill(world, { target: 'orders' })] })
    const { outcome } = await run.drill()
    expect(outcome.error).toMatchObject({
      code: 'DRILL_NO_BACKUP',
      message: expect.stringMatching(/of target "orders"$/) as string,
    })
  })
})

describe('the newest backup is damaged', () => {
  const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte, index) => (index === 3 ? byte ^ 1 : byte))

  async function rotting(use: 'newest' | 'random' = 'newest'): Promise<{ run: TestRun; storage: MemoryStorage }> {
    const storage = memoryStorage()
    const run = await backedUp(
      {
        use: [files({ a: 'a backup that rots' })],
        config: { storage, encoding: { compression: 'none' } },
        drills: [{ name: 'weekly', select: use, expect: () => {} }],
      },
      3,
    )
    return { run, storage }
  }
  const newest = (storage: MemoryStorage, kind: string): string =>
    [...storage.objects.keys()]
      .filter((key) => key.endsWith(kind))
      .toSorted()
      .at(-1) ?? ''

  test('on the disk, and nobody knows: the restore finds out, and the drill does not take an older one', async () => {
    const { run, storage } = await rotting()
    const key = newest(storage, '.data')
    storage.fail({ corrupt: (at, bytes) => (at === key ? flip(bytes) : bytes) })
    const { outcome } = await run.drill()
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ARTIFACT_DIGEST' } })
    expect(scratches(run)).toEqual([])
  })

  test.each(['a part', 'nothing'] as const)(
    'where the plugin reads %s of it: the drill reads the rest, and finds out',
    async (reads) => {
      const world = server()
      const storage = memoryStorage()
      const config = { storage, encoding: { compression: 'none' as const } }
      const run = await backedUp({ use: [database(world, { reads })], config, drills: [databaseDrill(world)] })
      const good = await run.drill()
      expect(good.outcome).toMatchObject({
        status: 'succeeded',
        warnings: [],
        targets: [{ verification: 'verified' }],
      })
      const key = newest(storage, '.data')
      storage.fail({ corrupt: (at, bytes) => (at === key ? flip(bytes) : bytes) })
      const { outcome } = await run.drill()
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ARTIFACT_DIGEST' } })
      expect([...world.databases.keys()]).toEqual(['shop'])
    },
  )

  test('as a verification has found: the drill fails, because whoever needed it would have to know', async () => {
    const { run, storage } = await rotting()
    const key = newest(storage, '.data')
    storage.fail({ corrupt: (at, bytes) => (at === key ? flip(bytes) : bytes) })
    const id = key.replace(/^default\//, '').replace(/\.data$/, '')
    await run.engine
      .store()
      .verify(id, { signal: AbortSignal.timeout(5000) })
      .catch(() => {})
    storage.fail({})
    const { outcome } = await run.drill()
    expect(outcome).toMatchObject({
      status: 'failed',
      error: {
        code: 'DRILL_BACKUP_DAMAGED',
        message: expect.stringContaining(`damaged: ${id} is damaged: `) as string,
      },
    })
    expect(run.journal.at(-1)).toBe('run failed')
    expect(run.journal).not.toContain('armed drill-cleanup')
  })

  test('and its manifest can not be read: it counts as made, and as damaged', async () => {
    const { run, storage } = await rotting()
    const key = newest(storage, '.manifest.json')
    storage.fail({ corrupt: (at, bytes) => (at === key ? Buffer.from('{') : bytes) })
    const { outcome } = await run.drill()
    expect(outcome.error).toMatchObject({
      code: 'DRILL_BACKUP_DAMAGED',
      message: expect.stringContaining(key) as string,
    })
  })

  test('at random, what is known to be damaged is left out', async () => {
    const { run, storage } = await rotting('random')
    const damaged = [...storage.objects.keys()]
      .filter((key) => key.endsWith('.data'))
      .toSorted()
      .slice(1)
    storage.fail({ corrupt: (at, bytes) => (damaged.includes(at) ? flip(bytes) : bytes) })
    for (const key of damaged) {
      const id = key.replace(/^default\//, '').replace(/\.data$/, '')
      await run.engine
        .store()
        .verify(id, { signal: AbortSignal.timeout(5000) })
        .catch(() => {})
    }
    for (let time = 0; time < 10; time++) expect((await run.drill()).outcome.status).toBe('succeeded')
  })

  test('on a real file system', async () => {
    const run = await createTestRun({
      use: [files({ a: 'a backup that rots' })],
      config: { encoding: { compression: 'none' } },
      drills: [{ name: 'weekly', expect: () => {} }],
    })
    onTestFinished(() => run.close())
    const store = join(run.stateDirectory, 'store')
    const real = await backedUp({
      use: [files({ a: 'a backup that rots' })],
      config: { storage: fsStorage({ path: store }), encoding: { compression: 'none' } },
      drills: [{ name: 'weekly', expect: ({ where }) => readFileSync(String(where), 'utf8') === 'a backup that rots' }],
    })
    expect((await real.drill()).outcome.status).toBe('succeeded')
    const { restored } = await real.drill()
    const data = join(store, 'default', `${restored[0]?.point.id}.data`)
    writeFileSync(data, flip(readFileSync(data)))
    expect((await real.drill()).outcome.error?.code).toBe('ARTIFACT_DIGEST')
    rmSync(data)
    expect((await real.drill()).outcome.error?.code).toBe('ARTIFACT_DATA_MISSING')
  })
})

describe('a cleanup that fails', () => {
  test('is tried to its deadline; then the drill fails, and what is left stays on record with the critical metric', async () => {
    const world = server()
    let tries = 0
    let isBroken = true
    const drill = databaseDrill(world, {
      timeouts: { cleanup: '2m' },
      cleanup({ options }) {
        tries++
        if (isBroken) throw new Error('the server does not answer')
        world.databases.delete(options['database'] ?? '')
      },
    })
    const run = await backedUp({ use: [database(world)], drills: [drill] })
    const { outcome, run: made } = await advanceUntil(run.clock, run.drill())
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'UNDO_FAILED' } })
    expect(tries).toBeGreaterThan(5)
    expect(world.databases.size).toBe(2)
    // Its directory is what somebody may need to look at.
    expect(scratches(run)).toEqual([`holdfast-drill-${made.id}`])
    expect(run.engine.journal.pendingUndos()).toMatchObject([{ undo: 'drill-cleanup', participant: 'drill:weekly' }])
    expect(await read(run, 'holdfast_undos_pending')).toMatchObject({ 'drill-cleanup': 1 })
    // A backup is not kept waiting for it; the next drill gives it back first.
    isBroken = false
    expect((await run.run()).outcome.status).toBe('succeeded')
    expect(world.databases.size).toBe(2)
    expect((await run.drill()).outcome.status).toBe('succeeded')
    expect([...world.databases.keys()]).toEqual(['shop'])
    expect(scratches(run)).toEqual([])
    expect(await read(run, 'holdfast_undos_pending')).toMatchObject({ 'drill-cleanup': 0 })
  })

  test('after a drill that failed does not hide why', async () => {
    const world = server()
    const drill = databaseDrill(world, {
      expect: () => false,
      cleanup: () => Promise.reject(new Error('no')),
      timeouts: { cleanup: '1m' },
    })
    const run = await backedUp({ use: [database(world)], drills: [drill] })
    const { outcome } = await advanceUntil(run.clock, run.drill())
    expect(outcome).toMatchObject({ error: { code: 'DRILL_EXPECTATION' }, warnings: [{ code: 'UNDO_FAILED' }] })
  })
})

describe('a drill that is told to stop', () => {
  const waiting = (world: ReturnType<typeof server>): Omit<Drill, 'plan'> =>
    databaseDrill(world, { expect: ({ signal }) => behave('hangs', signal) })

  test('by a shutdown: it is aborted, and cleans up within the grace', async () => {
    const world = server()
    const run = await backedUp({ use: [database(world)], drills: [waiting(world)] })
    const drilling = run.drill()
    await until(() => run.journal.includes('expect drill:weekly database'))
    await run.engine.shutdown(10_000)
    const { outcome } = await drilling
    expect(outcome).toMatchObject({ status: 'aborted', error: { code: 'RUN_ABORTED' } })
    expect([...world.databases.keys()]).toEqual(['shop'])
    expect(scratches(run)).toEqual([])
  })

  test('by whoever started it, for whatever reason', async () => {
    const world = server()
    const run = await backedUp({ use: [database(world)], drills: [waiting(world)] })
    const stop = new AbortController()
    const drilling = run.drill('weekly', { signal: stop.signal })
    await until(() => run.journal.includes('expect drill:weekly database'))
    stop.abort(new Error('this pod does not lead any more'))
    const { outcome } = await drilling
    expect(outcome).toMatchObject({
      status: 'aborted',
      error: { code: 'RUN_ABORTED', message: expect.stringContaining('does not lead') as string },
    })
    expect([...world.databases.keys()]).toEqual(['shop'])
  })
})

test('a backup that is removed elsewhere while it is restored says nothing of the others', async () => {
  const storage = memoryStorage()
  const world = server()
  const run = await backedUp({ use: [database(world)], config: { storage }, drills: [databaseDrill(world)] })
  const drilling = run.drill()
  await until(() => run.journal.includes('chose database 1'))
  for (const key of storage.objects.keys()) await storage.delete(key, { signal: AbortSignal.timeout(5000) })
  const { outcome } = await drilling
  expect(outcome).toMatchObject({ status: 'failed', error: { code: 'DRILL_BACKUP_GONE', retryable: true } })
})

test('a drill that succeeds tells nobody: a dead man’s switch would take it for a backup', async () => {
  const heard: string[] = []
  const world = server()
  const run = await backedUp({ use: [database(world), ...observers(heard)], drills: [databaseDrill(world)] })
  heard.length = 0
  expect((await run.drill()).outcome.status).toBe('succeeded')
  expect(heard).toEqual([])
})

test('an observer that fails changes nothing, and is told of', async () => {
  const world = server()
  const broken = defineHook('onError', () => Promise.reject(new Error('mail is down')), { name: 'mail' })
  const run = await drillRun({ use: [database(world), broken], drills: [databaseDrill(world)] })
  const { outcome } = await run.drill()
  expect(outcome.error?.code).toBe('DRILL_NO_BACKUP')
  expect(run.journal.slice(-3)).toEqual(['onError mail failed HOOK_FAILED', 'warning HOOK_FAILED', 'run failed'])
})
