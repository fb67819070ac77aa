// fault F3 for drills: a process that dies in the middle of one leaves nothing behind once the next has started.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestRun } from '@holdfast/testing'
import { defineHook, type Drill, type DrillCleanupContext } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { backedUp, database, databaseDrill, read, scratches, server, until, type Server } from './support.ts'

/** A drill that dies while it looks at what it has restored. */
async function dieExpecting(
  world: Server,
  more: Partial<Omit<Drill, 'plan'>> = {},
  observed: string[] = [],
): Promise<{ run: TestRun; id: string }> {
  const observe = defineHook('onError', ({ run, outcome }) => void observed.push(`${run.drill} ${outcome.status}`), {
    name: 'mail',
  })
  const drill = databaseDrill(world, {
    async expect({ directory }) {
      writeFileSync(join(directory, 'half-written'), 'x')
      await new Promise(() => {})
    },
    ...more,
  })
  const run = await backedUp({ use: [database(world), observe], drills: [drill] })
  void run.drill()
  await until(() => scratches(run).length === 1 && run.journal.includes('expect drill:weekly database'))
  const id = run.engine.journal.runs({ drill: 'weekly' })[0]?.id ?? ''
  await run.restart()
  return { run, id }
}

test('fault F3: the next start cleans up, knows where it was, and ends the drill as aborted', async () => {
  const world = server()
  const told: DrillCleanupContext[] = []
  const observed: string[] = []
  const { run, id } = await dieExpecting(
    world,
    {
      cleanup(ctx) {
        told.push(ctx)
        world.databases.delete(ctx.options['database'] ?? '')
      },
    },
    observed,
  )
  expect(world.databases.size).toBe(2)
  const { undos, interrupted } = await run.engine.recover()
  await run.engine.finishRecovery()
  expect(undos).toMatchObject([{ result: 'done', undo: { undo: 'drill-cleanup' } }])
  expect(interrupted).toMatchObject([{ id, drill: 'weekly' }])
  const name = `drill_${id.toLowerCase().replaceAll('-', '')}`
  expect(told).toMatchObject([
    {
      drill: 'weekly',
      target: 'database',
      options: { database: name },
      where: name,
      recovered: true,
      run: { id, drill: 'weekly' },
    },
  ])
  expect([...world.databases.keys()]).toEqual(['shop'])
  expect(scratches(run)).toEqual([])
  expect(run.engine.journal.runs({ id })).toMatchObject([{ status: 'aborted', error: { code: 'RUN_ABORTED' } }])
  expect(observed).toEqual(['weekly aborted'])
  expect(await read(run, 'holdfast_restore_drill_runs_total')).toMatchObject({ 'weekly aborted': 1 })
  // It is no run of its plan that was aborted.
  expect(await read(run, 'holdfast_runs_total')).toMatchObject({ 'test aborted': 0 })
})

test('killed before it made anything: the cleanup finds nothing, and that is fine', async () => {
  const world = server()
  const { run, id } = await dieExpecting(world)
  world.databases.delete(`drill_${id.toLowerCase().replaceAll('-', '')}`)
  const { undos } = await run.engine.recover()
  expect(undos).toMatchObject([{ result: 'done' }])
})

test('what a drill has armed removes nothing but its own directory, whatever the journal says', async () => {
  const world = server()
  const { run } = await dieExpecting(world)
  const victim = join(run.stateDirectory, 'victim')
  mkdirSync(victim)
  const [undo] = run.engine.journal.pendingUndos()
  const forged = { ...(JSON.parse(undo?.input ?? '{}') as object), directory: victim }
  const { armUndo } = run.engine.journal
  armUndo.call(run.engine.journal, {
    ...(undo as NonNullable<typeof undo>),
    id: 'forged',
    input: JSON.stringify(forged),
  })
  const { undos } = await run.engine.recover()
  expect(undos.find(({ undo: { id } }) => id === 'forged')).toMatchObject({
    result: 'failed',
    error: { message: expect.stringContaining('is not the directory of drill run') as string },
  })
  expect(existsSync(victim)).toBe(true)
})

test('an undo whose drill is gone from the configuration is kept, and its directory with it', async () => {
  const world = server()
  const { run, id } = await dieExpecting(world)
  run.engine.reconfigure({ ...run.engine.config(), drills: [] })
  const { undos } = await run.engine.recover()
  expect(undos).toMatchObject([{ result: 'failed', error: { code: 'UNDO_UNKNOWN' } }])
  expect(scratches(run)).toEqual([`holdfast-drill-${id}`])
  expect(await read(run, 'holdfast_undos_pending')).toMatchObject({ 'drill-cleanup': 1 })
})

test('the directory of a drill whose undo was dropped by hand is swept by the next start', async () => {
  const world = server()
  const { run } = await dieExpecting(world)
  const [undo] = run.engine.journal.pendingUndos()
  run.engine.journal.settleUndo(undo?.id ?? '', 'dropped')
  await run.engine.recover()
  await run.engine.finishRecovery()
  expect(scratches(run)).toEqual([])
})
