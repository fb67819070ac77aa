import { advanceUntil, createTestRun, type TestRun } from '@holdfast/testing'
import { definePlugin, type Plugin, type RestorePoint } from '@holdfast/sdk'
import { afterEach, expect, test } from 'vitest'
import { executeTask, pointOf, restoreByPlugin, type TaskResult } from '@holdfast/runtime'
import { anything, behave, effects, type Behaviour } from './hooks.ts'

const open: TestRun[] = []
afterEach(async () => {
  for (const run of open.splice(0)) await run.close()
})

const world = effects()
const restored: string[] = []

/** Backs up one artifact, and pauses something while it restores. */
function database(behaviour: Behaviour): Plugin {
  return definePlugin({
    name: 'database',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    undos: [world.undo],
    hooks: { backups: (ctx) => ctx.createArtifact('dump', (sink) => sink.write(Buffer.from('rows'))) },
    restore: {
      options: {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value) =>
            (value as { table?: string }).table === undefined
              ? { issues: [{ message: 'is missing', path: ['table'] }] }
              : { value },
        },
      },
      async run(ctx) {
        await ctx.undo.arm(world.undo, 'writers')
        world.held.add('writers')
        await behave(behaviour, ctx.signal)
        for await (const chunk of ctx.openArtifact(ctx.point.id)) restored.push(Buffer.from(chunk).toString())
        return { where: (ctx.options as { table: string }).table }
      },
    },
  })({})
}

async function backedUp(behaviour: Behaviour): Promise<{ run: TestRun; point: RestorePoint }> {
  world.held.clear()
  restored.length = 0
  const run = await createTestRun({ use: [database(behaviour)] })
  open.push(run)
  expect((await run.run()).outcome.status).toBe('succeeded')
  for await (const artifact of run.engine.store().list()) return { run, point: pointOf(artifact) }
  throw new Error('nothing was stored')
}

function restore(run: TestRun, point: RestorePoint, options = { table: 'orders' }): Promise<TaskResult> {
  const { services } = run.engine
  const plan = run.engine.plan('test')
  const [participant] = plan.participants
  return executeTask(services, {
    plan: plan.name,
    budgetMs: 60_000,
    body: (call) => restoreByPlugin(services, call, { plan, participant: participant!, point, options, force: false }),
  })
}

test('a restore is a run of its own: journalled, and what it took is given back', async () => {
  const { run, point } = await backedUp('ok')
  const { outcome, value, run: made } = await restore(run, point)
  expect(outcome).toMatchObject({ status: 'succeeded', error: undefined })
  expect(value).toBe('orders')
  expect(restored).toEqual(['rows'])
  expect(world.held.size).toBe(0)
  expect(run.engine.journal.runs({ id: made.id })).toMatchObject([{ trigger: 'restore', status: 'succeeded' }])
  expect(run.engine.journal.undos(made.id)).toMatchObject([
    { undo: 'unfinished-restore', state: 'disarmed' },
    { undo: 'release', state: 'done' },
  ])
})

test('a restore that fails says why, and gives back what it took', async () => {
  const { run, point } = await backedUp('throws')
  const { outcome, value } = await restore(run, point)
  expect(outcome).toMatchObject({ status: 'failed', error: { code: 'HOOK_FAILED' } })
  expect(value).toBeUndefined()
  expect(world.held.size).toBe(0)
  expect(run.engine.journal.runs({ limit: 1 })).toMatchObject([{ trigger: 'restore', status: 'failed' }])
})

test('options are validated before anything is touched', async () => {
  const { run, point } = await backedUp('ok')
  const { outcome } = await restore(run, point, {} as { table: string })
  expect(outcome.error).toMatchObject({
    code: 'RESTORE_OPTIONS',
    message: expect.stringContaining('table: is missing'),
  })
  expect(world.held.size).toBe(0)
  expect(restored).toEqual([])
})

test('a restore ends with its budget', async () => {
  const { run, point } = await backedUp('hangs')
  const done = restore(run, point)
  while (!world.held.has('writers')) await new Promise((resolve) => setImmediate(resolve))
  const { outcome } = await advanceUntil(run.clock, done)
  expect(outcome).toMatchObject({ status: 'failed', error: { code: 'RUN_BUDGET' } })
  expect(world.held.size).toBe(0)
})

test('a restore that is told to stop is aborted, and gives back what it took', async () => {
  const { run, point } = await backedUp('hangs')
  const done = restore(run, point)
  while (!world.held.has('writers')) await new Promise((resolve) => setImmediate(resolve))
  await run.engine.shutdown(10_000)
  expect((await done).outcome.status).toBe('aborted')
  expect(world.held.size).toBe(0)
})
