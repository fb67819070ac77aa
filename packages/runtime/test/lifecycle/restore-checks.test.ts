import { existsSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import {
  defineHook,
  definePlugin,
  type HookModule,
  type Plugin,
  type PlannedStep,
  type RestoreDefinition,
  type RestorePoint,
} from '@holdfast/sdk'
import type { TestRun } from '@holdfast/testing'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { afterEach, describe, expect, test } from 'vitest'
import { executeTask, pointOf, preparePluginRestore, recoverRestores, type RestoredPoint } from '@holdfast/runtime'
import { anything } from './hooks.ts'
import { testRun } from './test-run.ts'

// Held as long as the test looks, and let go then: what the collector closes is not what a killed process leaves.
const held: (() => void)[] = []
const dying: Promise<unknown>[] = []
afterEach(async () => {
  for (const release of held.splice(0)) release()
  await Promise.all(dying.splice(0))
})

type Definition = RestoreDefinition<object, StandardSchemaV1<unknown, Record<string, string>>>

/** Backs up a megabyte, and restores as it is told. */
function database(restore: Omit<Definition, 'options'>): Plugin {
  return definePlugin({
    name: 'database',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    hooks: { backups: (ctx) => ctx.createArtifact('dump', (sink) => sink.write(Buffer.alloc(1_000_000, 'row '))) },
    restore: { options: anything<Record<string, string>>(), ...restore },
  })({})
}

async function backedUp(restore: Omit<Definition, 'options'>): Promise<{ run: TestRun; point: RestorePoint }> {
  const run = await testRun([database(restore)])
  expect((await run.run()).outcome.status).toBe('succeeded')
  for await (const artifact of run.engine.store().list()) return { run, point: pointOf(artifact) }
  throw new Error('nothing was stored')
}

const read = async (bytes: AsyncIterable<Uint8Array>): Promise<number> => {
  let size = 0
  for await (const chunk of bytes) size += chunk.length
  return size
}

describe('a plugin that looks before it restores', () => {
  test('is asked first, and what it throws keeps everything as it was', async () => {
    const called: string[] = []
    const { run, point } = await backedUp({
      async check({ requireSpace, exec }) {
        called.push('check')
        expect(exec).toBeDefined()
        await requireSpace(2 ** 60)
      },
      run: () => ({ where: called.push('run') }),
    })
    await expect(run.restore(point)).rejects.toMatchObject({ code: 'RESTORE_SPACE' })
    expect(called).toEqual(['check'])
    expect(run.engine.journal.pendingUndos()).toEqual([])
  })

  test('says what it would do, and is not called for more', async () => {
    const steps: readonly PlannedStep[] = [{ kind: 'exec', what: 'mongorestore --archive', where: 'pod mongo-0' }]
    const { run, point } = await backedUp({ check: () => steps, run: () => Promise.reject(new Error('not now')) })
    const { services } = run.engine
    const plan = run.engine.plan('test')
    const [participant] = plan.participants
    let planned: readonly PlannedStep[] | undefined
    await executeTask(services, {
      plan: plan.name,
      budgetMs: 1000,
      dryRun: true,
      async body(call) {
        const options = { plan, participant: participant!, point, options: {}, force: false }
        planned = await (await preparePluginRestore(services, call, options)).check()
        return null
      },
    })
    expect(planned).toEqual(steps)
    expect(run.engine.journal.runs({ limit: 1 })).toMatchObject([{ trigger: 'restore', dryRun: true }])
  })
})

describe('what a plugin reads of an artifact', () => {
  const restored = async (restore: Definition['run']): Promise<{ run: TestRun; result: RestoredPoint }> => {
    const { run, point } = await backedUp({ run: restore })
    const { services } = run.engine
    const plan = run.engine.plan('test')
    const [participant] = plan.participants
    let result: RestoredPoint | undefined
    await executeTask(services, {
      plan: plan.name,
      budgetMs: 60_000,
      async body(call) {
        const options = { plan, participant: participant!, point, options: {}, force: false }
        result = await (await preparePluginRestore(services, call, options)).run()
        return null
      },
    })
    return { run, result: result as RestoredPoint }
  }

  test('is told as progress, up to its end, and is proven then', async () => {
    const { run, result } = await restored(async (ctx) => ({ where: await read(ctx.openArtifact(ctx.point.id)) }))
    expect(result).toEqual({ where: 1_000_000, isProven: true })
    expect(run.events.filter(({ type }) => type === 'progress').at(-1)).toMatchObject({
      done: 1_000_000,
      total: 1_000_000,
      note: 'dump',
    })
  })

  test('and leaves unread is not proven, which is a warning', async () => {
    const { run, result } = await restored(async (ctx) => {
      for await (const chunk of ctx.openArtifact(ctx.point.id)) return { where: chunk.length > 0 }
      return { where: null }
    })
    expect(result).toEqual({ where: true, isProven: false })
    expect(run.engine.journal.runs({ limit: 1 })).toMatchObject([
      { status: 'succeeded', warnings: [{ code: 'RESTORE_UNREAD' }] },
    ])
  })

  test('a second time to its end, is proven all the same', async () => {
    const { result } = await restored(async (ctx) => {
      const header = ctx.openArtifact(ctx.point.id)[Symbol.asyncIterator]()
      await header.next()
      await header.return?.()
      return { where: await read(ctx.openArtifact(ctx.point.id)) }
    })
    expect(result.isProven).toBe(true)
  })

  test('is a file, whole and checked, where it wants one', async () => {
    const { run, point } = await backedUp({
      check: async (ctx) => {
        expect(await ctx.checkWrite(ctx.point.id, 'there/')).toMatch(/there\/dump$/)
      },
      run: async (ctx) => ({ where: await ctx.writeArtifact(ctx.point.id, ctx.options['path'] ?? '') }),
    })
    const to = join(run.stateDirectory, 'out')
    expect(await run.restore(point, { path: `${to}/` })).toBe(join(to, 'dump'))
    expect(readdirSync(to)).toEqual(['dump'])
    await expect(run.restore(point, { path: `${to}/` })).rejects.toMatchObject({ code: 'RESTORE_EXISTS' })
    expect(await run.restore(point, { path: `${to}/` }, { force: true })).toBe(join(to, 'dump'))
  })
})

describe('fault F3: a restore whose process is gone', () => {
  /** A restore into a file that dies in the middle of it: another process has taken its place. */
  async function dieHalfWay(
    next: readonly (Plugin | HookModule)[],
  ): Promise<{ run: TestRun; file: string; partial: string }> {
    let where = ''
    const { run, point } = await backedUp({
      run: async (ctx) => ({ where: await ctx.writeArtifact(ctx.point.id, where) }),
    })
    where = join(run.stateDirectory, 'out/orders.sql')
    const whole = run.storage.get.bind(run.storage)
    run.storage.get = async function* (key, options) {
      for await (const chunk of whole(key, options)) {
        const isData = key.includes('.data')
        yield isData ? chunk.subarray(0, chunk.length >> 1) : chunk
        if (isData) await new Promise<void>((resolve) => held.push(resolve))
      }
    }
    dying.push(run.restore(point).catch(() => {}))
    const there = (): string | undefined =>
      existsSync(join(where, '..')) ? readdirSync(join(where, '..'))[0] : undefined
    while (there() === undefined) await new Promise((resolve) => setTimeout(resolve, 2))
    await run.restart(next)
    return { run, file: where, partial: join(where, '..', there() ?? '') }
  }

  const nothing = defineHook('maintain', () => {}, { name: 'nothing' })

  const said = (run: TestRun): readonly string[] =>
    run.log
      .map((line) => JSON.parse(line) as { msg: string; level: string })
      .flatMap(({ msg, level }) => (level === 'warn' ? [msg] : []))

  test('is said at the next start, its partial file is removed, and no observer is called', async () => {
    const { run, file, partial } = await dieHalfWay([database({ run: () => ({ where: null }) })])
    expect(existsSync(partial)).toBe(true)
    const { undos, interrupted } = await run.engine.recover()
    expect(undos.map(({ undo, result }) => [undo.undo, result])).toEqual([
      ['unfinished-restore', 'done'],
      ['unfinished-restore', 'done'],
    ])
    expect(interrupted).toMatchObject([{ trigger: 'restore' }])
    expect(readdirSync(join(file, '..'))).toEqual([])
    expect(said(run)).toContainEqual(
      expect.stringMatching(`${file} was half restored when its process ended: .*${partial}`),
    )
    expect(said(run)).toContainEqual(expect.stringContaining('by "database" was interrupted'))
    expect(run.engine.journal.runs({ limit: 1 })).toMatchObject([{ status: 'aborted', trigger: 'restore' }])
    expect(run.engine.journal.openRuns()).toEqual([])
  })

  test('is cleaned up by the next restore, too, whatever plans there are by then', async () => {
    const { run, file } = await dieHalfWay([nothing])
    run.engine.reconfigure({ ...run.engine.config(), plans: [] })
    await recoverRestores(run.engine.services)
    expect(readdirSync(join(file, '..'))).toEqual([])
    expect(run.engine.journal.pendingUndos()).toEqual([])
  })

  test('leaves whole files whole: a file that got its name just before stays', async () => {
    const { run, file, partial } = await dieHalfWay([nothing])
    renameSync(partial, file)
    await recoverRestores(run.engine.services)
    expect(readdirSync(join(file, '..'))).toEqual(['orders.sql'])
    expect(said(run)).toContainEqual(expect.stringContaining(`${partial} is not there`))
  })
})
