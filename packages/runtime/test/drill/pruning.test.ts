// A drill reads the store while backups are made and pruned: nothing is pruned under its feet, and it keeps no backup from
// being made.
import { advanceUntil, type TestRun } from '@holdfast/testing'
import { definePlugin, type Plugin, type RestorePoint } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { heldPoints } from '../../src/drill/held-points.ts'
import { anything } from '../lifecycle/hooks.ts'
import { backedUp, database, databaseDrill, drillRun, server, until } from './support.ts'

const keepOne = { retention: { latest: 1 } }

async function ids(run: TestRun): Promise<readonly string[]> {
  const found: string[] = []
  for await (const { id } of run.engine.store().list()) found.push(id)
  return found
}

test('what a drill is restoring is not pruned by a run that ends meanwhile, but by the next', async () => {
  const world = server()
  const { promise, resolve } = Promise.withResolvers<void>()
  const drill = databaseDrill(world, { expect: () => promise })
  const run = await backedUp({ use: [database(world)], plan: keepOne, drills: [drill] })
  const [first] = await ids(run)
  const drilling = run.drill()
  await until(() => run.journal.includes('expect drill:weekly database'))
  expect([...heldPoints(run.engine.services)]).toEqual([first])
  // A newer and verified one is there now, so retention would let it go.
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(await ids(run)).toHaveLength(2)
  expect(await ids(run)).toContain(first)
  resolve()
  expect((await drilling).outcome.status).toBe('succeeded')
  expect([...heldPoints(run.engine.services)]).toEqual([])
  await run.clock.advance('24h')
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(await ids(run)).toHaveLength(1)
  expect(await ids(run)).not.toContain(first)
})

test('a drill whose process died holds nothing, also before anybody has cleaned up after it', async () => {
  const world = server()
  const drill = databaseDrill(world, {
    expect: () => new Promise(() => {}),
    cleanup: () => Promise.reject(new Error('no')),
  })
  const run = await backedUp({ use: [database(world)], plan: keepOne, drills: [drill] })
  void run.drill()
  await until(() => run.journal.includes('expect drill:weekly database'))
  await run.restart()
  expect([...heldPoints(run.engine.services)]).toEqual([])
  await advanceUntil(run.clock, run.engine.recover())
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(await ids(run)).toHaveLength(1)
})

/** Keeps its points elsewhere, lists them as slowly as a test likes the next time, and forgets what retention lets go. */
function elsewhere(world: { points: RestorePoint[]; listing: Promise<void>; readonly restored: string[] }): Plugin {
  return definePlugin({
    name: 'elsewhere',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    hooks: {
      async backups(ctx) {
        const createdAt = ctx.clock.now()
        const id = `version-${createdAt.getTime()}`
        await ctx.record({ id, createdAt, ref: null })
        world.points.unshift({ id, target: ctx.target.id, createdAt, state: 'valid', verifiedAt: createdAt, ref: null })
      },
      verifyBackups: () => {},
      pruneBackups({ expired }) {
        const gone = new Set(expired.map(({ id }) => id))
        world.points = world.points.filter(({ id }) => !gone.has(id))
      },
    },
    restore: {
      options: anything<object>(),
      async *points() {
        const now = [...world.points]
        const { listing } = world
        world.listing = Promise.resolve()
        await listing
        yield* now
      },
      run({ point }) {
        if (!world.points.some(({ id }) => id === point.id)) throw new Error(`${point.id} is gone`)
        world.restored.push(point.id)
        return { where: 'elsewhere' }
      },
    },
  })({})
}

test('points that a plugin keeps elsewhere are restored by it, and held as well', async () => {
  const world = { points: [] as RestorePoint[], listing: Promise.resolve(), restored: [] as string[] }
  const { promise, resolve } = Promise.withResolvers<void>()
  const run = await backedUp({
    use: [elsewhere(world)],
    plan: keepOne,
    drills: [{ name: 'volume', expect: () => promise }],
  })
  const first = world.points[0]?.id ?? ''
  const drilling = run.drill()
  await until(() => run.journal.includes('expect drill:volume elsewhere'))
  expect(world.restored).toEqual([first])
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(world.points.map(({ id }) => id)).toContain(first)
  resolve()
  expect((await drilling).outcome).toMatchObject({ status: 'succeeded', targets: [{ verification: 'verified' }] })
})

test('nothing is pruned while a drill chooses: what it has seen is there when it restores', async () => {
  const listing = Promise.withResolvers<void>()
  const world = { points: [] as RestorePoint[], listing: Promise.resolve(), restored: [] as string[] }
  const run = await backedUp({
    use: [elsewhere(world)],
    plan: keepOne,
    drills: [{ name: 'volume', expect: () => {} }],
  })
  const first = world.points[0]?.id ?? ''
  world.listing = listing.promise
  // The drill has seen the only version, and its plugin takes its time; meanwhile a newer one is made, and would prune it.
  const drilling = run.drill()
  await until(() => run.journal.filter((line) => line === 'run succeeded').length === 1)
  const backingUp = run.run()
  await until(() => run.journal.filter((line) => line.startsWith('verifyBackups')).length === 2)
  await run.clock.advance('5m')
  expect(world.points).toHaveLength(2)
  listing.resolve()
  expect((await advanceUntil(run.clock, drilling)).outcome.error).toBeUndefined()
  expect((await advanceUntil(run.clock, backingUp)).outcome.status).toBe('succeeded')
  expect(world.restored).toEqual([first])
})

test('what a run that goes on has made so far is no backup yet', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const slow = definePlugin({
    name: 'slow',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    hooks: {
      async backups({ createArtifact }) {
        await createArtifact('a', (sink) => sink.write(Buffer.from('a')))
        await promise
        await createArtifact('b', (sink) => sink.write(Buffer.from('b')))
      },
    },
  })({})
  const seen: number[] = []
  const run = await drillRun({ use: [slow], drills: [{ name: 'a', expect: ({ points }) => seen.push(points.length) }] })
  const backingUp = run.run()
  await until(() => run.journal.includes('artifact slow a'))
  expect((await run.drill()).outcome).toMatchObject({ status: 'failed', error: { code: 'DRILL_NO_BACKUP' } })
  resolve()
  await backingUp
  expect((await run.drill()).outcome.status).toBe('succeeded')
  expect(seen).toEqual([2])
})
