import { advanceUntil, type TestRun } from '@holdfast/testing'
import { defineHook, definePlugin, type Plugin, type RestorePoint } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { anything, backup } from '../lifecycle/hooks.ts'
import { testRun } from '../lifecycle/test-run.ts'

const now = '2026-03-01T10:00:00Z'
const seconds = (at: string): number => Date.parse(at) / 1000

/** The values of a metric, by the values of its labels. */
async function read(run: TestRun, name: string): Promise<Readonly<Record<string, number>>> {
  const text = await run.metrics.text()
  const found = text.matchAll(new RegExp(`^${name}\\{(.*)\\} (\\S+)$`, 'gm'))
  return Object.fromEntries(
    [...found].map(([, labels = '', number]) => [
      [...labels.matchAll(/="([^"]*)"/g)].map(([, value]) => value).join(' '),
      Number(number),
    ]),
  )
}

/** The one phase that is 1. */
async function phase(run: TestRun): Promise<string> {
  const all = Object.entries(await read(run, 'holdfast_run_phase')).filter(([, value]) => value === 1)
  expect(all).toHaveLength(1)
  return all[0]?.[0].split(' ')[1] ?? ''
}

/** A plugin whose targets and contents a test changes between runs. */
function changing(world: { targets: string[]; content?: string; fails?: string; unverified?: string }): Plugin {
  return definePlugin({
    name: 'changing',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    targets: () => world.targets.map((id) => ({ id, labels: {}, data: null })),
    hooks: {
      async backups(ctx) {
        if (ctx.target.id === world.fails) throw new Error('on purpose')
        if (world.content === undefined) return
        await ctx.createArtifact('data', (sink) => sink.write(Buffer.from(world.content ?? '')))
      },
      verifyBackups(ctx) {
        if (ctx.target.id === world.unverified) throw new Error('it can not be read back')
      },
    },
  })({})
}

test('how a plan stands is known before, during and after a run; the deadline is gone with the run', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  const hook = defineHook(
    'backups',
    async ({ createArtifact }) => {
      started.resolve()
      await promise
      await createArtifact('data', (sink) => sink.write(Buffer.from('12345')))
    },
    { name: 'hook' },
  )
  const run = await testRun([hook], { now, plan: { budget: '2h' } })
  expect(await phase(run)).toBe('none')
  for (const what of ['start', 'completion', 'success', 'failure']) {
    expect(await read(run, `holdfast_run_last_${what}_timestamp_seconds`)).toEqual({})
  }
  const ended = run.run()
  await started.promise
  expect(await phase(run)).toBe('running')
  expect(await read(run, 'holdfast_run_deadline_timestamp_seconds')).toEqual({ test: seconds('2026-03-01T12:00:00Z') })
  expect(await read(run, 'holdfast_targets_selected')).toEqual({ test: 1 })
  await run.clock.advance('10m')
  resolve()
  await ended
  expect(await phase(run)).toBe('succeeded')
  expect(await read(run, 'holdfast_run_deadline_timestamp_seconds')).toEqual({})
  expect(await read(run, 'holdfast_run_last_start_timestamp_seconds')).toEqual({ test: seconds(now) })
  const end = { test: seconds('2026-03-01T10:10:00Z') }
  expect(await read(run, 'holdfast_run_last_completion_timestamp_seconds')).toEqual(end)
  expect(await read(run, 'holdfast_run_last_success_timestamp_seconds')).toEqual(end)
  expect(await read(run, 'holdfast_run_last_failure_timestamp_seconds')).toEqual({})
  expect(await read(run, 'holdfast_target_last_success_timestamp_seconds')).toEqual({ 'test hook': end.test })
  expect(await read(run, 'holdfast_target_backup_size_bytes')).toEqual({ 'test hook': 5 })
})

test('of targets: failures keep the last success, what can not be read back is none, what is gone is gone', async () => {
  const world: Parameters<typeof changing>[0] = { targets: ['a', 'b', 'c'], content: '12345' }
  const run = await testRun([changing(world)], { now })
  await run.run()
  const first = seconds(now)
  await run.clock.advance('1h')
  Object.assign(world, { fails: 'a', unverified: 'b', content: '1234567' })
  await run.run()
  expect(await phase(run)).toBe('partial')
  expect(await read(run, 'holdfast_target_last_success_timestamp_seconds')).toEqual({
    'test a': first,
    'test b': first,
    'test c': first + 3600,
  })
  expect(await read(run, 'holdfast_verify_last_success_timestamp_seconds')).toEqual({
    'test a': first,
    'test b': first,
    'test c': first + 3600,
  })
  expect(await read(run, 'holdfast_target_backup_size_bytes')).toEqual({ 'test a': 5, 'test b': 7, 'test c': 7 })
  Object.assign(world, { targets: ['a'], fails: undefined, content: undefined })
  await run.run()
  // A backup that suddenly holds nothing is a drop in size, too.
  expect(await read(run, 'holdfast_target_backup_size_bytes')).toEqual({ 'test a': 0 })
  expect(await read(run, 'holdfast_targets_selected')).toEqual({ test: 1 })
  world.targets = []
  expect((await run.run()).outcome.status).toBe('failed')
  expect(await read(run, 'holdfast_targets_selected')).toEqual({ test: 0 })
  expect(await read(run, 'holdfast_target_last_success_timestamp_seconds')).toEqual({})
})

test('a backup that is much smaller than usual is told of until its size is accepted; what is not in the store is not compared', async () => {
  const world: Parameters<typeof changing>[0] = { targets: ['a'], content: '0123456789' }
  const run = await testRun([changing(world)], { now })
  await run.run()
  expect(await read(run, 'holdfast_target_backup_suspect')).toEqual({ 'test a': 0 })
  await run.clock.advance('1h')
  world.content = '1'
  const { outcome } = await run.run()
  expect(outcome.status).toBe('partial')
  expect(await read(run, 'holdfast_target_backup_suspect')).toEqual({ 'test a': 1 })
  await run.engine.store().accept(outcome.targets[0]?.points[0]?.id ?? '', { signal: AbortSignal.timeout(5000) })
  await run.clock.advance('1h')
  await run.run()
  expect(await read(run, 'holdfast_target_backup_suspect')).toEqual({ 'test a': 0 })
  world.content = undefined
  await run.run()
  expect(await read(run, 'holdfast_target_backup_suspect')).toEqual({})
})

test('fault F52: a restart forgets nothing of it', async () => {
  const world = { targets: ['a', 'b'], content: '12345', fails: '' }
  const run = await testRun([changing(world)], { now })
  await run.run()
  await run.clock.advance('1h')
  world.fails = 'b'
  await run.run()
  const names = [
    'holdfast_run_phase',
    'holdfast_run_last_start_timestamp_seconds',
    'holdfast_run_last_completion_timestamp_seconds',
    'holdfast_run_last_success_timestamp_seconds',
    'holdfast_run_last_failure_timestamp_seconds',
    'holdfast_targets_selected',
    'holdfast_target_last_success_timestamp_seconds',
    'holdfast_verify_last_success_timestamp_seconds',
  ]
  const before = await Promise.all(names.map((name) => read(run, name)))
  await run.clock.advance('1h')
  await run.restart()
  expect(await phase(run)).toBe('none')
  await run.engine.recover()
  expect(await Promise.all(names.map((name) => read(run, name)))).toEqual(before)
})

test('fault F52: what another process ran meanwhile is known: its times, its targets, and of no size what it is', async () => {
  const world: Parameters<typeof changing>[0] = { targets: ['a', 'b'], content: '12345' }
  const run = await testRun([changing(world)], { now })
  await run.engine.recover()
  await run.run()
  expect(await read(run, 'holdfast_target_backup_size_bytes')).toEqual({ 'test a': 5, 'test b': 5 })
  const { stateDirectory, storage } = run
  const later = '2026-03-01T11:00:00Z'
  const elsewhere = changing({ targets: ['a', 'c'], content: '123', fails: 'c' })
  const other = await testRun([elsewhere], { now: later, stateDirectory, config: { storage } })
  expect((await other.run()).outcome.status).toBe('partial')
  expect(await phase(run)).toBe('partial')
  expect(await read(run, 'holdfast_run_last_completion_timestamp_seconds')).toEqual({ test: seconds(later) })
  expect(await read(run, 'holdfast_run_last_success_timestamp_seconds')).toEqual({ test: seconds(now) })
  expect(await read(run, 'holdfast_run_last_failure_timestamp_seconds')).toEqual({ test: seconds(later) })
  expect(await read(run, 'holdfast_targets_selected')).toEqual({ test: 2 })
  expect(await read(run, 'holdfast_target_last_success_timestamp_seconds')).toEqual({ 'test a': seconds(later) })
  expect(await read(run, 'holdfast_target_backup_size_bytes')).toEqual({})
  // Its own next run is the newest again.
  await run.clock.advance('2h')
  await run.run()
  expect(await phase(run)).toBe('succeeded')
  expect(await read(run, 'holdfast_target_backup_size_bytes')).toEqual({ 'test a': 5, 'test b': 5 })
})

test('a run that died with its process has failed, also when metrics were read before it was ended', async () => {
  const started = Promise.withResolvers<void>()
  const hook = defineHook('maintain', () => (started.resolve(), new Promise(() => {})), { name: 'hook' })
  const run = await testRun([hook], { now })
  const lost = run.run()
  await started.promise
  expect(await phase(run)).toBe('running')
  const { journal } = run.engine
  const [open] = journal.openRuns()
  // As recovery does it in the next process.
  journal.endRun(open?.id ?? '', { status: 'aborted' })
  await run.restart()
  expect(await phase(run)).toBe('none')
  await run.engine.recover()
  expect(await phase(run)).toBe('aborted')
  void lost
})

test('a slot that is skipped while a run goes on changes nothing; afterwards it is the newest', async () => {
  const started = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<void>()
  const hook = defineHook('maintain', () => (started.resolve(), ending.promise), { name: 'hook' })
  const run = await testRun([hook], { now })
  const ended = run.run()
  await started.promise
  run.engine.recordSkip('test', run.clock.now(), 'overlap')
  expect(await phase(run)).toBe('running')
  ending.resolve()
  await ended
  expect(await phase(run)).toBe('succeeded')
  run.engine.recordSkip('test', run.clock.now(), 'paused')
  expect(await phase(run)).toBe('skipped')
})

test('a plan that backs nothing up has no age; dry runs and boots are no runs of which times tell', async () => {
  const maintenance = await testRun([defineHook('maintain', () => undefined, { name: 'hook' })], { now })
  await maintenance.run()
  expect(await read(maintenance, 'holdfast_run_last_completion_timestamp_seconds')).toEqual({ test: seconds(now) })
  expect(await read(maintenance, 'holdfast_run_last_success_timestamp_seconds')).toEqual({})
  const run = await testRun([backup({})], { now })
  await run.engine.boot()
  await run.run({ dryRun: true })
  expect(await phase(run)).toBe('none')
  expect(await read(run, 'holdfast_run_last_start_timestamp_seconds')).toEqual({})
})

test('what makes backups and what maintains are told apart', async () => {
  const maintenance = await testRun([defineHook('maintain', () => undefined, { name: 'hook' })], { now })
  expect(await read(maintenance, 'holdfast_plan_info')).toEqual({ 'test maintenance': 1 })
  expect(await read(maintenance, 'holdfast_target_backups_total')).toEqual({})
  expect(await read(maintenance, 'holdfast_verify_runs_total')).toEqual({})
  const run = await testRun([backup({})], { now })
  expect(await read(run, 'holdfast_plan_info')).toEqual({ 'test backup': 1 })
})

test('what became of targets is counted from 0 on, whether it could be read back, and why nothing older was removed', async () => {
  const world: Parameters<typeof changing>[0] = { targets: ['a', 'b', 'c'], content: '12345' }
  const run = await testRun([changing(world)], { now })
  const none = {
    'test full succeeded': 0,
    'test differential succeeded': 0,
    'test none succeeded': 0,
    'test none failed': 0,
    'test none skipped': 0,
    'test none aborted': 0,
  }
  expect(await read(run, 'holdfast_target_backups_total')).toEqual(none)
  expect(await read(run, 'holdfast_verify_runs_total')).toEqual({ 'test verified': 0, 'test unverified': 0 })
  const unblocked = { failed: 0, unverified: 0, not_applicable: 0, suspect: 0 }
  expect(await read(run, 'holdfast_retention_blocked_total')).toEqual(unblocked)
  await run.run()
  expect(await read(run, 'holdfast_retention_blocked_total')).toEqual(unblocked)
  Object.assign(world, { fails: 'a', unverified: 'b' })
  await run.run()
  expect(await read(run, 'holdfast_target_backups_total')).toEqual({
    ...none,
    'test full succeeded': 5,
    'test none failed': 1,
  })
  expect(await read(run, 'holdfast_verify_runs_total')).toEqual({ 'test verified': 4, 'test unverified': 1 })
  expect(await read(run, 'holdfast_retention_blocked_total')).toEqual({ ...unblocked, failed: 1, unverified: 1 })
  await run.run({ dryRun: true })
  expect(await read(run, 'holdfast_verify_runs_total')).toEqual({ 'test verified': 4, 'test unverified': 1 })
})

test('of a backup that nobody reads back it is not said that it was; what needs another backup is told from what does not', async () => {
  const points: Partial<RestorePoint>[] = [{}, { mode: 'full' }, { mode: 'differential' }]
  const elsewhere = definePlugin({
    name: 'elsewhere',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    targets: () => points.map((_, index) => ({ id: `${index}`, labels: {}, data: null })),
    hooks: {
      async backups({ record, target, clock }) {
        await record({ id: target.id, createdAt: clock.now(), ref: null, ...points[Number(target.id)] })
      },
    },
  })({})
  const run = await testRun([elsewhere], { now })
  await run.run()
  expect(Object.keys(await read(run, 'holdfast_target_last_success_timestamp_seconds'))).toHaveLength(3)
  expect(await read(run, 'holdfast_verify_last_success_timestamp_seconds')).toEqual({})
  expect(await read(run, 'holdfast_target_backups_total')).toMatchObject({
    'test full succeeded': 2,
    'test differential succeeded': 1,
    'test none succeeded': 0,
  })
  await run.restart()
  await run.engine.recover()
  expect(Object.keys(await read(run, 'holdfast_target_last_success_timestamp_seconds'))).toHaveLength(3)
  expect(await read(run, 'holdfast_verify_last_success_timestamp_seconds')).toEqual({})
})

test('a run that is still there after its budget shows a deadline that has passed', async () => {
  const behaviours = { backups: 'hangs', onFinish: 'ignores abort' } as const
  const run = await testRun([backup({ behaviours })], { now, plan: { budget: '1h' } })
  const ended = run.run()
  while (!run.journal.includes('backups backup t')) await run.clock.advance(0)
  await run.clock.advance('1h')
  await run.clock.advance('10s')
  const deadline = await read(run, 'holdfast_run_deadline_timestamp_seconds')
  expect(deadline).toEqual({ test: seconds('2026-03-01T11:00:00Z') })
  expect(run.clock.now().getTime() / 1000).toBeGreaterThan(deadline['test'] ?? Infinity)
  expect(await phase(run)).toBe('running')
  await advanceUntil(run.clock, ended, '30s')
  expect(await phase(run)).toBe('failed')
  expect(await read(run, 'holdfast_run_deadline_timestamp_seconds')).toEqual({})
})

test('a journal that can not be read costs what it knows, not the page', async () => {
  const run = await testRun([backup({})], { now })
  await run.engine.recover()
  Object.assign(run.engine.journal, {
    lastRuns() {
      throw new Error('database disk image is malformed')
    },
  })
  await run.run()
  expect(await phase(run)).toBe('succeeded')
})
