// Time is finite: nothing that a hook, a plugin or a store does keeps a run from ending and from giving back.
import { advanceUntil, memoryStorage, type TestClock } from '@holdfast/testing'
import { defineHook, definePlugin, type HookModule, type Plugin } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { newRunId } from '../../src/lifecycle/run-id.ts'
import { collect } from '../artifacts/support.ts'
import { anything, backup, effects } from './hooks.ts'
import { testRun } from './test-run.ts'

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}
const forever = (): Promise<never> => new Promise(() => {})

/** Takes something before the backups. */
function quiesce(
  world: ReturnType<typeof effects>,
  more: Partial<ReturnType<typeof effects>['undo']> = {},
): HookModule {
  return defineHook(
    'beforeBackups',
    async ({ undo }) => {
      await undo.arm(world.undo, 'app')
      world.held.add('app')
    },
    { name: 'quiesce', undos: [{ ...world.undo, ...more }] },
  )
}

describe('fault F6: what hangs is left behind:', () => {
  test('a clean-up, and the undo armed before it still runs', async () => {
    const world = effects()
    const hook = defineHook(
      'maintain',
      async ({ undo, defer }) => {
        await undo.arm(world.undo, 'app')
        world.held.add('app')
        defer('never ends', forever)
      },
      { name: 'hook', undos: [world.undo] },
    )
    const run = await testRun([hook])
    expect((await advanceUntil(run.clock, run.run(), '10s')).outcome.status).toBe('succeeded')
    expect(world.held.size).toBe(0)
    expect(run.log.join('')).toContain('never ends')
  })

  const finder = (targets: () => AsyncIterable<{ id: string; labels: object; data: null }>): Plugin =>
    definePlugin({
      name: 'finder',
      version: '1.0.0',
      sdk: '^1.0',
      config: anything<object>(),
      targets: targets as never,
      hooks: { backups: () => {} },
    })({})

  test('a search for targets', async () => {
    const run = await testRun([
      finder(async function* () {
        yield await forever()
      }),
    ])
    const { outcome } = await advanceUntil(run.clock, run.run(), '1m')
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'HOOK_ABANDONED', hook: 'targets' } })
  })

  test('a search for targets that finds more and more', async () => {
    const run = await testRun([
      finder(async function* () {
        for (let count = 0; ; count++) yield { id: `${count}`, labels: {}, data: null }
      }),
    ])
    const { outcome } = await advanceUntil(run.clock, run.run(), '1m')
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'HOOK_TIMEOUT' } })
  })

  test('a store that is asked who owns it', async () => {
    const storage = { ...memoryStorage(), put: forever }
    const run = await testRun([backup({})], { config: { storage } })
    const { outcome } = await advanceUntil(run.clock, run.run(), '1m')
    expect(outcome.status).toBe('failed')
    expect(run.engine.journal.runs()).toMatchObject([{ status: 'failed' }])
  })

  test('not a backup that takes hours to be read back, as long as it moves', async () => {
    const memory = memoryStorage()
    const get = memory.get.bind(memory)
    const at: { clock?: Pick<TestClock, 'sleep'> } = {}
    const storage = {
      ...memory,
      async *get(...args: Parameters<typeof get>) {
        if (args[0].includes('.data'))
          for (let part = 0; part < 20; part++) {
            await at.clock?.sleep('9m')
            yield Buffer.alloc(0)
          }
        yield* get(...args)
      },
    }
    const run = await testRun([backup({})], { config: { storage } })
    at.clock = run.clock
    const { outcome } = await advanceUntil(run.clock, run.run(), '1m')
    expect(outcome).toMatchObject({ status: 'succeeded', targets: [{ verification: 'verified' }] })
  })

  test('a backup of which nothing comes when it is read back', async () => {
    const memory = memoryStorage()
    const get = memory.get.bind(memory)
    const storage = {
      ...memory,
      async *get(...args: Parameters<typeof get>) {
        if (args[0].includes('.data')) await forever()
        yield* get(...args)
      },
    }
    const run = await testRun([backup({})], { config: { storage } })
    const began = run.clock.now().getTime()
    const { outcome } = await advanceUntil(run.clock, run.run(), '1m')
    expect(outcome).toMatchObject({ status: 'partial', error: { code: 'STORAGE_STALLED' } })
    expect(run.clock.now().getTime() - began).toBeLessThan(20 * 60_000)
  })

  test('a store that hangs when something is to be removed: the next run prunes', async () => {
    const memory = memoryStorage()
    let hangs = true
    const storage = {
      ...memory,
      delete: (...args: Parameters<typeof memory.delete>) => (hangs ? forever() : memory.delete(...args)),
    }
    const run = await testRun([backup({})], { config: { storage }, plan: { retention: { latest: 1 } } })
    for (let day = 1; day <= 2; day++) {
      const { outcome } = await advanceUntil(run.clock, run.run(), '1m')
      expect(outcome.warnings.map(({ code }) => code)).toEqual(day === 1 ? [] : ['HOOK_ABANDONED'])
      await run.clock.advance('1d')
    }
    hangs = false
    expect((await advanceUntil(run.clock, run.run(), '1m')).outcome).toMatchObject({
      status: 'succeeded',
      warnings: [],
    })
    expect(await collect(run.engine.store().list())).toHaveLength(1)
  })

  test.each([['is to be told that it is free'], ['is told once more that it is owned']])(
    'a store that hangs when it %s: the run ends, is told of, and the next one is no busy plan',
    async (what) => {
      const memory = memoryStorage()
      const put = memory.put.bind(memory)
      let hangs = false
      const storage = {
        ...memory,
        put: (...args: Parameters<typeof put>) => (hangs && args[0].includes('/.owner/') ? forever() : put(...args)),
      }
      const run = await testRun(
        [
          backup({}),
          defineHook(
            'maintain',
            async ({ clock }) => {
              hangs = true
              if (what.includes('once more')) await clock.sleep('90s')
            },
            { name: 'hangs' },
          ),
        ],
        { config: { storage } },
      )
      const { outcome } = await advanceUntil(run.clock, run.run(), '1m')
      expect(outcome.status).toBe('succeeded')
      expect(run.journal.at(-1)).toBe('run succeeded')
      expect(run.log.join('')).toContain('owner record could not be freed')
      hangs = false
      await run.clock.advance('10m')
      expect((await advanceUntil(run.clock, run.run(), '1m')).outcome.status).toBe('succeeded')
    },
  )

  test('everything, for a budget smaller than everything', async () => {
    const called: string[] = []
    const run = await testRun([backup({ called, behaviours: { validate: 'hangs' } })], { plan: { budget: '1ms' } })
    const { outcome } = await advanceUntil(run.clock, run.run())
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'RUN_BUDGET' }, warnings: [] })
    expect(called).toEqual(['validate', 'onError', 'onFinish'])
  })
})

describe('the outcome is fixed when the observers are called:', () => {
  const slow = (begun: () => void): HookModule =>
    defineHook(
      'onFinish',
      async ({ clock, signal }) => {
        begun()
        await clock.sleep('30s', signal)
      },
      { name: 'slow' },
    )

  test('a shutdown meanwhile aborts nothing any more', async () => {
    let begun = false
    const run = await testRun([backup({}), slow(() => (begun = true))])
    const done = run.run()
    await until(() => begun)
    const down = run.engine.shutdown(25_000)
    expect((await advanceUntil(run.clock, done)).outcome.status).toBe('succeeded')
    await down
    expect(run.engine.journal.runs()).toMatchObject([{ status: 'succeeded' }])
  })

  test('nor does the end of the budget', async () => {
    let begun = false
    const run = await testRun([backup({}), slow(() => (begun = true))], { plan: { budget: '10s' } })
    const done = run.run()
    await until(() => begun)
    expect((await advanceUntil(run.clock, done)).outcome.status).toBe('succeeded')
  })
})

describe('on shutdown', () => {
  test('a short grace leaves time for undos, whatever hooks do with theirs', async () => {
    const world = effects()
    const run = await testRun([quiesce(world), defineHook('backups', forever, { name: 'ignores-abort' })])
    const done = run.run()
    await until(() => run.journal.includes('backups ignores-abort ignores-abort'))
    const down = run.engine.shutdown(5000)
    await run.clock.advance('5s')
    expect(world.held.size).toBe(0)
    expect((await advanceUntil(run.clock, done)).outcome.status).toBe('aborted')
    await down
  })

  test('observers that no time is left for are called by the next start, once', async () => {
    const called: string[] = []
    const seen = (hook: 'onError' | 'onFinish'): HookModule =>
      defineHook(hook, ({ outcome }) => void called.push(`${hook} ${outcome.status}`), { name: hook })
    const use = [defineHook('backups', forever, { name: 'ignores-abort' }), seen('onError'), seen('onFinish')]
    const run = await testRun(use)
    const done = run.run()
    await until(() => run.journal.includes('backups ignores-abort ignores-abort'))
    void run.engine.shutdown(25_000)
    void run.engine.shutdown(25_000)
    await advanceUntil(run.clock, done)
    expect(called).toEqual([])
    await run.restart()
    await run.engine.recover()
    await run.engine.finishRecovery()
    await run.engine.finishRecovery()
    expect(called).toEqual(['onError aborted', 'onFinish aborted'])
  })

  test('an observer that the end of the grace cut off is not called again, and the next one is', async () => {
    const called: string[] = []
    const observer = (hook: 'onError' | 'onFinish', hangs: boolean): HookModule =>
      defineHook(
        hook,
        () => {
          called.push(hook)
          return hangs ? forever() : undefined
        },
        { name: hook },
      )
    const run = await testRun([
      backup({ behaviours: { backups: 'hangs' } }),
      observer('onError', true),
      observer('onFinish', false),
    ])
    const done = run.run()
    await until(() => run.journal.includes('backups backup t'))
    const down = run.engine.shutdown(25_000)
    await until(() => called.length > 0)
    await run.clock.advance('30s')
    await done
    await down
    expect(called).toEqual(['onError'])
    await run.restart()
    await run.engine.recover()
    await run.engine.finishRecovery()
    expect(called).toEqual(['onError', 'onFinish'])
  })

  test('fault F2: undos of an earlier process get the grace, and not more', async () => {
    const world = effects()
    const run = await testRun([quiesce(world), defineHook('backups', forever, { name: 'dies' })])
    void run.run()
    await until(() => world.held.size > 0)
    await run.restart([
      quiesce(world, { deadline: '10m', run: () => Promise.reject(new Error('no')) }),
      backup({ targets: [] }),
    ])
    const recovering = run.engine.finishRecovery()
    await run.clock.advance('2s')
    let down = false
    void run.engine.shutdown(25_000).then(() => (down = true))
    await run.clock.advance('1s')
    expect(down).toBe(false)
    await run.clock.advance('30s')
    expect(await recovering).toMatchObject([{ result: 'failed' }])
    await until(() => down)
  })
})

test('a cancelled run does not wait for its next attempt', async () => {
  const cancel = new AbortController()
  const run = await testRun([backup({ behaviours: { backups: 'throws' } })], {
    plan: { retry: { attempts: 2, backoff: '1h' } },
  })
  const done = run.run({ signal: cancel.signal })
  await until(() => run.journal.includes('run failed'))
  cancel.abort(new Error('replaced'))
  await until(() => run.clock.pending === 0)
  await done
  expect(run.engine.journal.runs()).toHaveLength(1)
})

test('run ids do not collide, however many runs begin in one second', () => {
  const now = new Date('2026-03-01T10:00:00Z')
  expect(new Set(Array.from({ length: 300_000 }, () => newRunId(now))).size).toBe(300_000)
})
