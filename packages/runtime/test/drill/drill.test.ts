import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { advanceUntil, memoryStorage } from '@holdfast/testing'
import type { DrillCleanupContext, DrillContext } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { backedUp, database, databaseDrill, drillRun, files, scratches, server } from './support.ts'

describe('a drill', () => {
  test('restores a backup by its plugin, looks at it, and cleans up: a run of its own', async () => {
    const world = server('100 orders')
    const seen: DrillContext[] = []
    const drill = databaseDrill(world, {
      expect: (ctx) => {
        seen.push(ctx)
        assert.equal(world.databases.get(String(ctx.where)), '100 orders')
        assert.ok(existsSync(ctx.directory))
      },
    })
    const run = await backedUp({ use: [database(world)], drills: [drill] })
    const { outcome, run: made, restored } = await run.drill()
    expect(outcome).toMatchObject({ status: 'succeeded', error: undefined, warnings: [] })
    expect(made).toMatchObject({ plan: 'test', drill: 'weekly', trigger: 'drill', attempt: 1 })
    const [ctx] = seen
    const suffix = made.id.toLowerCase().replaceAll('-', '')
    expect(ctx).toMatchObject({
      drill: 'weekly',
      run: { id: made.id },
      target: 'database',
      point: { id: expect.stringMatching(/\/dump$/) as string, state: 'valid' },
      options: { database: `drill_${suffix}` },
      where: `drill_${suffix}`,
      suffix,
    })
    expect(basename(ctx?.directory ?? '')).toBe(`holdfast-drill-${made.id}`)
    expect(restored).toMatchObject([{ point: { id: ctx?.point.id }, where: `drill_${suffix}` }])
    // Nothing is left of it but the record.
    expect([...world.databases.keys()]).toEqual(['shop'])
    expect(scratches(run)).toEqual([])
    expect(run.journal.slice(-8)).toEqual([
      'armed drill-cleanup',
      'chose database 1',
      'restore database database',
      'armed unfinished-restore',
      'unfinished-restore disarmed',
      'expect drill:weekly database',
      'drill-cleanup done',
      'run succeeded',
    ])
    const { journal } = run.engine
    expect(journal.runs({ drill: 'weekly' })).toMatchObject([
      { id: made.id, plan: 'test', drill: 'weekly', trigger: 'drill', status: 'succeeded' },
    ])
    expect(journal.hooks(made.id)).toMatchObject([
      { hook: 'restore', participant: 'database', target: 'database', error: undefined },
      { hook: 'expect', participant: 'drill:weekly', error: undefined },
    ])
    expect(journal.targets(made.id)).toMatchObject([
      { target: 'database', status: 'succeeded', verification: 'verified', reason: `restored ${ctx?.point.id}` },
    ])
    expect(journal.undos(made.id)).toMatchObject([
      { undo: 'drill-cleanup', participant: 'drill:weekly', state: 'done' },
      { undo: 'unfinished-restore', state: 'disarmed' },
    ])
  })

  test('restores what nobody says how to restore as files, all of a backup, in its own directory', async () => {
    const found: Record<string, string> = {}
    const run = await backedUp({
      use: [files({ 'b.sql': 'two', 'a.sql': 'one', 'c/d': 'three' })],
      drills: [
        {
          name: 'files',
          expect({ directory, where, restored }) {
            for (const name of readdirSync(directory)) found[name] = readFileSync(join(directory, name), 'utf8')
            assert.equal(where, join(directory, 'a.sql'))
            assert.deepEqual(
              restored.map(({ where: each }) => basename(String(each))),
              ['a.sql', 'b.sql', 'c%2Fd'],
            )
          },
        },
      ],
    })
    const { outcome } = await run.drill()
    expect(outcome.error).toBeUndefined()
    expect(found).toEqual({ 'a.sql': 'one', 'b.sql': 'two', 'c%2Fd': 'three' })
    expect(scratches(run)).toEqual([])
  })

  test('restores bytes where it says so, whatever the plugin could do', async () => {
    const world = server('dumped')
    const drill = databaseDrill(world, {
      bytes: true,
      expect: ({ where }) => assert.equal(readFileSync(String(where), 'utf8'), 'dumped'),
    })
    const run = await backedUp({ use: [database(world)], drills: [drill] })
    expect((await run.drill()).outcome.status).toBe('succeeded')
    expect(world.databases.size).toBe(1)
  })

  test('names what it makes by a function, which is called before anything is touched', async () => {
    const world = server()
    const order: string[] = []
    const drill = databaseDrill(world, {
      async options({ target, directory, suffix, point }) {
        order.push(`options ${existsSync(directory)}`)
        return { database: `${target}-${suffix.slice(0, 4)}-${point.size}` }
      },
      expect: ({ where }) => order.push(String(where)),
    })
    const run = await backedUp({ use: [database(world)], drills: [drill] })
    expect((await run.drill()).outcome.status).toBe('succeeded')
    expect(order).toEqual(['options false', 'database-2026-4'])
  })

  test('without options it says where its directory is: a plugin that would restore elsewhere refuses that', async () => {
    const world = server()
    const drills = [{ ...databaseDrill(world), options: undefined }]
    const run = await backedUp({ use: [database(world)], drills })
    const { outcome } = await run.drill()
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { code: 'DRILL_OPTIONS', message: expect.stringContaining('path: is not known') as string },
    })
    expect([...world.databases.keys()]).toEqual(['shop'])
  })

  test('never has the directory of another: each is new, private and empty', async () => {
    const seen: string[] = []
    const run = await backedUp({
      use: [files({ a: 'x' })],
      drills: [
        {
          name: 'a',
          expect: ({ directory, suffix }) => {
            assert.deepEqual(readdirSync(directory), ['a'])
            writeFileSync(join(directory, 'left'), '')
            seen.push(directory, suffix)
          },
        },
      ],
    })
    for (let time = 0; time < 5; time++) expect((await run.drill()).outcome.status).toBe('succeeded')
    expect(new Set(seen).size).toBe(10)
  })

  test('a directory that is there already is not touched', async () => {
    const run = await drillRun({
      use: [files({ a: 'x' })],
      drills: [
        {
          name: 'a',
          // Whoever makes it in the meantime.
          options({ directory }) {
            mkdirSync(directory, { recursive: true })
            writeFileSync(join(directory, 'theirs'), '')
            return {}
          },
          expect: () => {},
        },
      ],
    })
    await run.run()
    const { outcome } = await run.drill()
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'DRILL_SCRATCH' } })
  })

  test('makes its directory where it is told to', async () => {
    const at: string[] = []
    const run = await drillRun({ use: [files({ a: 'x' })] })
    const scratch = join(run.stateDirectory, 'elsewhere', 'deep')
    const told = await drillRun({
      use: [files({ a: 'x' })],
      drills: [{ name: 'a', scratch, expect: ({ directory }) => at.push(directory) }],
    })
    await told.run()
    expect((await told.drill()).outcome.status).toBe('succeeded')
    expect(at[0]?.startsWith(`${scratch}/holdfast-drill-`)).toBe(true)
    expect(readdirSync(scratch)).toEqual([])
  })

  test('tells its cleanup what it told the plugin, and where that restored to', async () => {
    const world = server()
    const told: DrillCleanupContext[] = []
    const drill = databaseDrill(world, { cleanup: (ctx) => told.push(ctx) })
    const run = await backedUp({ use: [database(world)], drills: [drill] })
    const { run: made } = await run.drill()
    const name = `drill_${made.id.toLowerCase().replaceAll('-', '')}`
    expect(told).toMatchObject([
      { drill: 'weekly', target: 'database', options: { database: name }, where: name, attempt: 1, recovered: false },
    ])
  })

  test('chooses another target each time, where it names none', async () => {
    const targets = new Set<string>()
    const world = server()
    const drill = databaseDrill(world, { expect: ({ target }) => targets.add(target) })
    const run = await backedUp({ use: [database(world, { targets: ['a', 'b', 'c'] })], drills: [drill] })
    // The chance that one of three is never drawn in 200 is below 10^-34.
    for (let time = 0; targets.size < 3 && time < 200; time++) await run.drill()
    expect(targets).toEqual(new Set(['a', 'b', 'c']))
  })

  test('has no part in the times of its plan, and does not keep its plan from running', async () => {
    const world = server()
    let during: string | undefined
    const drill = databaseDrill(world, {
      async expect() {
        during = (await run.run()).outcome.status
      },
    })
    const run = await backedUp({ use: [database(world)], drills: [drill] })
    const before = run.engine.journal.lastScheduled('test')
    expect((await run.drill()).outcome.status).toBe('succeeded')
    expect(during).toBe('succeeded')
    expect(run.engine.journal.lastScheduled('test')).toEqual(before)
  })

  test('of one name runs once at a time; the other one is skipped', async () => {
    const world = server()
    const { promise, resolve } = Promise.withResolvers<void>()
    const drill = databaseDrill(world, { expect: () => promise })
    const run = await backedUp({ use: [database(world)], drills: [drill, { ...drill, name: 'other' }] })
    const first = run.drill('weekly')
    const { outcome, run: skipped } = await run.drill('weekly')
    expect(outcome).toMatchObject({ status: 'skipped', reason: 'busy', error: { code: 'DRILL_BUSY' } })
    const other = run.drill('other')
    resolve()
    expect((await first).outcome.status).toBe('succeeded')
    expect((await advanceUntil(run.clock, other)).outcome.status).toBe('succeeded')
    expect(run.engine.journal.runs({ id: skipped.id })).toMatchObject([{ drill: 'weekly', status: 'skipped' }])
  })

  test('that nobody configured', async () => {
    const run = await drillRun({ use: [files({ a: 'x' })], drills: [{ name: 'a', expect: () => {} }] })
    await expect(run.drill('b')).rejects.toMatchObject({
      code: 'DRILL_UNKNOWN',
      hint: expect.stringContaining('a') as string,
    })
  })

  test('reads the store that is configured, and writes nothing there', async () => {
    const storage = memoryStorage()
    const run = await backedUp({
      use: [files({ a: 'x' })],
      config: { storage },
      drills: [{ name: 'a', expect: () => {} }],
    })
    const before = [...storage.objects.keys()]
    expect((await run.drill()).outcome.status).toBe('succeeded')
    expect([...storage.objects.keys()]).toEqual(before)
  })
})
