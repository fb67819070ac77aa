import { expect, test } from 'vitest'
import { announcePlans } from '../../src/telemetry/run-metrics.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { backedUp, database, databaseDrill, read, server, until } from '../drill/support.ts'

const prefix = 'holdfast_restore_drill'
const day = 86_400
const start = Date.parse('2026-01-01T00:00:00Z') / 1000

test('a drill begins at 0, so that the first failure is seen', async () => {
  const world = server()
  const run = await backedUp({ use: [database(world)], drills: [databaseDrill(world)] })
  expect(await read(run, `${prefix}_runs_total`)).toEqual({
    'weekly succeeded': 0,
    'weekly partial': 0,
    'weekly failed': 0,
    'weekly skipped': 0,
    'weekly aborted': 0,
  })
  expect(await read(run, 'holdfast_undo_failures_total')).toMatchObject({ 'drill-cleanup': 0 })
  expect(await read(run, 'holdfast_undos_pending')).toMatchObject({ 'drill-cleanup': 0 })
  expect((await read(run, 'holdfast_hook_failures_total'))['expect drill:weekly error']).toBe(0)
  // Nothing that looks like 1970.
  expect(await read(run, `${prefix}_last_success_timestamp_seconds`)).toEqual({})
})

test('how a drill stands is known before, during and after it, and none of it counts for its plan', async () => {
  const world = server()
  const { promise, resolve } = Promise.withResolvers<void>()
  const drill = databaseDrill(world, { budget: '2h', expect: () => promise })
  const run = await backedUp({ use: [database(world)], drills: [drill] })
  const phase = async (): Promise<readonly string[]> =>
    Object.entries(await read(run, `${prefix}_phase`)).flatMap(([labels, value]) => (value === 1 ? [labels] : []))
  const plan = await read(run, 'holdfast_run_last_completion_timestamp_seconds')
  expect(await phase()).toEqual(['weekly none'])
  const drilling = run.drill()
  await until(() => run.journal.includes('expect drill:weekly database'))
  expect(await phase()).toEqual(['weekly running'])
  expect(await read(run, `${prefix}_deadline_timestamp_seconds`)).toEqual({ weekly: start + day + 7200 })
  expect(await read(run, 'holdfast_run_deadline_timestamp_seconds')).toEqual({})
  resolve()
  await drilling
  expect(await phase()).toEqual(['weekly succeeded'])
  expect(await read(run, `${prefix}_deadline_timestamp_seconds`)).toEqual({})
  expect(await read(run, `${prefix}_last_success_timestamp_seconds`)).toEqual({ weekly: start + day })
  expect(await read(run, `${prefix}_duration_seconds_count`)).toEqual({ weekly: 1 })
  expect(await read(run, 'holdfast_runs_total')).toMatchObject({ 'test succeeded': 1 })
  expect(await read(run, 'holdfast_run_last_completion_timestamp_seconds')).toEqual(plan)
  expect(await read(run, 'holdfast_run_phase')).toMatchObject({ 'test succeeded': 1 })
})

test('fault F52: a restart knows when a drill last succeeded, failed and ran', async () => {
  const world = server()
  let isMet = true
  const drill = databaseDrill(world, { expect: () => isMet })
  const run = await backedUp({ use: [database(world)], drills: [drill] })
  await run.drill()
  await run.clock.advance('24h')
  isMet = false
  await run.drill()
  await run.restart()
  await run.engine.recover()
  expect(await read(run, `${prefix}_last_success_timestamp_seconds`)).toEqual({ weekly: start + day })
  expect(await read(run, `${prefix}_last_failure_timestamp_seconds`)).toEqual({ weekly: start + 2 * day })
  expect(await read(run, `${prefix}_last_start_timestamp_seconds`)).toEqual({ weekly: start + 2 * day })
  expect(await read(run, `${prefix}_phase`)).toMatchObject({ 'weekly failed': 1, 'weekly none': 0 })
})

test('plans without drills have none of it', async () => {
  const metrics = createMetrics()
  announcePlans(metrics, [{ name: 'shop', participants: [], maintenance: false }])
  expect(await metrics.text()).not.toMatch(new RegExp(`^${prefix}.*\\{`, 'm'))
})
