// What becomes of a run when the state directory, the journal or a listener fails, at each point.
import { readdirSync } from 'node:fs'
import { advanceUntil, createTestRun, type MemoryStorage, type TestRun } from '@holdfast/testing'
import { defineHook, HoldfastError, type TargetOutcome } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { createEngine } from '../../src/engine.ts'
import { executeTask } from '../../src/lifecycle/task.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { createRedactor } from '../../src/telemetry/redaction.ts'
import { backup, effects } from './hooks.ts'
import { testRun } from './test-run.ts'

const full = (): never => {
  throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
}

describe('fault F12: a full or broken state directory', () => {
  test('before a run fails it before any effect, and its observers hear of it', async () => {
    const called: string[] = []
    const run = await testRun([backup({ called })])
    run.engine.journal.beginRun = full
    const { outcome } = await run.run()
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'STATE_UNWRITABLE' } })
    expect(called).toEqual(['onError', 'onFinish'])
    expect(await run.metrics.text()).toMatch(/holdfast_runs_total\{plan="test",result="failed"\} 1/)
  })

  test('in which no lock can be taken does the same', async () => {
    const called: string[] = []
    const run = await testRun([backup({ called })])
    Object.assign(run.engine.locks, { tryAcquire: full })
    expect((await run.run()).outcome).toMatchObject({ status: 'failed', error: { code: 'STATE_UNWRITABLE' } })
    expect(called).toEqual(['onError', 'onFinish'])
  })

  test('that can not be read keeps nothing held', async () => {
    const world = effects()
    const started: { run?: TestRun } = {}
    const hook = defineHook(
      'maintain',
      async ({ undo }) => {
        await undo.arm(world.undo, 'app')
        world.held.add('app')
        const { journal } = (started.run as TestRun).engine
        Object.assign(journal, { undo: full, claimUndo: full, settleUndo: full, pendingUndos: full })
      },
      { name: 'hook', undos: [world.undo] },
    )
    const run = (started.run = await testRun([hook]))
    expect((await advanceUntil(run.clock, run.run())).outcome.status).toBe('succeeded')
    expect(world.held.size).toBe(0)
  })

  test('fails no backup that is in the store', async () => {
    const run = await testRun([backup({})])
    run.engine.journal.recordPoint = full
    expect((await run.run()).outcome.status).toBe('succeeded')
  })

  test('that takes no target of a restore has its end all the same', async () => {
    const run = await testRun([backup({})])
    const { journal, services } = run.engine
    journal.recordTarget = full
    const ended: TargetOutcome = {
      target: { id: 'app', labels: {}, data: null },
      status: 'succeeded',
      verification: 'not-applicable',
      points: [],
    }
    await executeTask(services, { plan: 'test', budgetMs: 1000, body: async () => null, targets: () => [ended] })
    expect(journal.runs()).toMatchObject([{ status: 'succeeded' }])
  })

  test('that does not say whether an undo of a restore is pending keeps the variables that it would need', async () => {
    const run = await testRun([backup({})])
    const { journal, services } = run.engine
    const { pendingUndos } = journal
    journal.pendingUndos = full
    const task = await executeTask(services, { plan: 'test', budgetMs: 1000, body: async () => null })
    journal.pendingUndos = pendingUndos
    expect(readdirSync(`${run.stateDirectory}/vars`)).toEqual([task.run.id])
  })

  test('leaves no restore without an end', async () => {
    const run = await testRun([backup({})])
    const { journal, services } = run.engine
    journal.beginRun = full
    const { outcome } = await executeTask(services, { plan: 'test', budgetMs: 1000, body: async () => null })
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'STATE_UNWRITABLE' } })
  })
})

test('a listener that throws changes nothing', async () => {
  const run = await testRun([backup({})])
  const config = run.engine.config()
  const redactor = createRedactor()
  const log = createLogger({ level: 'error', format: 'json', redactor, destination: { write: () => {} } })
  const engine = createEngine({
    config,
    stateDirectory: run.stateDirectory,
    log,
    redactor,
    metrics: createMetrics(),
    output: { open: full },
    events: full,
  })
  expect((await engine.run('test')).outcome.status).toBe('succeeded')
  engine.close()
})

describe('an error in the journal', () => {
  test('with details that are no JSON is recorded all the same', async () => {
    const run = await testRun([
      defineHook(
        'maintain',
        () => {
          const circle: Record<string, unknown> = { size: 10n }
          circle['self'] = circle
          throw new HoldfastError({ code: 'ODD', message: 'odd', details: { bytes: 10n, circle } as never })
        },
        { name: 'odd' },
      ),
    ])
    expect((await run.run()).outcome.error).toMatchObject({ code: 'ODD' })
    expect(run.engine.journal.runs()).toMatchObject([{ status: 'failed', error: { code: 'ODD' } }])
  })

  test('fault F54: whose details are what a secret is can still be read', async () => {
    const run = await testRun(
      [
        defineHook(
          'maintain',
          async ({ secrets }) => {
            await secrets.open({ env: 'PIN' })
            throw new HoldfastError({ code: 'ODD', message: 'at 5432', details: { port: 5432, pin: '5432' } })
          },
          { name: 'odd' },
        ),
      ],
      { env: { PIN: '5432' } },
    )
    await run.run()
    const [record] = run.engine.journal.runs()
    expect(record?.error).toMatchObject({ code: 'ODD', message: 'at [redacted]', details: { pin: '[redacted]' } })
  })
})

test('a restore is no success of its plan', async () => {
  const run = await testRun([backup({})])
  await executeTask(run.engine.services, { plan: 'test', budgetMs: 1000, body: async () => null })
  expect(run.engine.journal.history.lastGood({ plan: 'test' })).toBeUndefined()
  expect(await run.metrics.text()).not.toMatch(/holdfast_run_last_success_timestamp_seconds\{/)
})

test('a run that died with its process counts as aborted', async () => {
  const run = await testRun([defineHook('maintain', () => new Promise(() => {}), { name: 'hangs' })])
  void run.run()
  while (!run.journal.includes('maintain hangs')) await new Promise((resolve) => setImmediate(resolve))
  await run.restart()
  await run.engine.recover()
  expect(await run.metrics.text()).toMatch(/holdfast_runs_total\{plan="test",result="aborted"\} 1/)
})

test('every result of every plan is counted from 0', async () => {
  const run = await testRun([backup({})])
  expect(await run.metrics.text()).toMatch(/holdfast_runs_total\{plan="test",result="failed"\} 0/)
})

test('metrics tell the injected time', async () => {
  const run = await testRun([backup({})])
  await run.run()
  const seconds = run.clock.now().getTime() / 1000
  expect(await run.metrics.text()).toContain(`holdfast_run_last_success_timestamp_seconds{plan="test"} ${seconds}`)
})

describe('the first error is primary:', () => {
  test('a shutdown after it does not hide it', async () => {
    let verifying = false
    const run = await testRun([
      backup({ behaviours: { afterBackups: 'throws' } }),
      defineHook(
        'verifyBackups',
        (ctx) => {
          verifying = true
          return ctx.clock.sleep('1m', ctx.signal)
        },
        { name: 'slow' },
      ),
    ])
    const done = run.run()
    while (!verifying) await new Promise((resolve) => setTimeout(resolve, 1))
    void run.engine.shutdown(25_000)
    const { outcome } = await advanceUntil(run.clock, done)
    expect(outcome).toMatchObject({ status: 'aborted', error: { hook: 'afterBackups' } })
    expect(outcome.warnings).toContainEqual(expect.objectContaining({ code: 'RUN_ABORTED' }))
  })
})

test('a new configuration comes into force for the next run only', async () => {
  const other: string[] = []
  const run = await testRun([
    defineHook(
      'beforeBackups',
      () => {
        const { engine } = run
        engine.reconfigure({
          ...engine.config(),
          instance: 'other',
          storage: { ...run.storage, put: () => Promise.reject(new Error(String(other.push('written')))) },
        })
      },
      { name: 'reconfigure' },
    ),
    backup({}),
  ])
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(other).toEqual([])
})

test('the state does not grow with the number of runs', async () => {
  const run = await testRun([backup({})], { plan: { retention: { latest: 1 } } })
  for (let count = 0; count < 3; count++) {
    await run.clock.advance('1d')
    await run.run()
  }
  const { journal } = run.engine
  const success = journal.history.lastGood({ plan: 'test' })
  run.engine.recordSkip('test', run.clock.now(), 'paused')
  journal.forgetRunsOf('test', 2)
  expect(journal.runs().map(({ status }) => status)).toEqual(['skipped', 'succeeded'])
  // The newest success stays whatever its age.
  await run.clock.advance('1d')
  journal.forgetRuns(run.clock.now())
  expect(journal.history.lastGood({ plan: 'test' })).toEqual(success)
  expect(journal.runs()).toHaveLength(1)
  expect(readdirSync(`${run.stateDirectory}/vars`)).toEqual([])
})

test('what an interrupted run left uncommitted in the store is gone after the next run', async () => {
  const run = await createTestRun({ use: [backup({})] })
  const { put } = run.storage
  await run.run()
  const [committed = ''] = [...(run.storage as MemoryStorage).objects.keys()].filter((key) => key.includes('.data'))
  const leftover = committed.replace(/\/[^/]+\/([^/]+)$/, '/20250101T000000.000Z-20250101T000000Z-dead/$1')
  await put(leftover, oneChunk(), { signal: new AbortController().signal })
  await run.clock.advance('1d')
  expect((await run.run()).outcome.status).toBe('succeeded')
  const keys = [...(run.storage as MemoryStorage).objects.keys()]
  expect(keys).not.toContain(leftover)
  expect(keys).toContain(committed)
  await run.close()
})

async function* oneChunk(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half a backup')
}
