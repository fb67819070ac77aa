// Every outcome × every hook, beside the failures of table.test.ts: what a shutdown in the middle of each hook leads to,
// and which hooks a run of each other status calls.
import { createTestRun, memoryStorage, type TestRun } from '@holdfast/testing'
import { definePlugin, type HookName, type Plugin } from '@holdfast/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import { claimStore } from '../../src/artifacts/owner.ts'
import { exitCodes } from '../../src/lifecycle/outcome.ts'
import { anything, backup } from './hooks.ts'

const open: TestRun[] = []
afterEach(async () => {
  for (const run of open.splice(0)) await run.close()
})
async function testRun(options: Parameters<typeof createTestRun>[0]): Promise<TestRun> {
  const made = await createTestRun(options)
  open.push(made)
  return made
}

const order: readonly HookName[] = [
  'validate',
  'beforeBackups',
  'backups',
  'afterBackups',
  'verifyBackups',
  'pruneBackups',
  'maintain',
]

describe('fault F1: shut down in the middle of', () => {
  test.each(order)('%s: aborted, exit code 143, the observers are called and nothing after it', async (hook) => {
    const called: string[] = []
    const run = await testRun({
      use: [backup({ behaviours: { [hook]: 'hangs' }, called })],
      plan: { retention: { latest: 2 } },
    })
    const done = run.run()
    while (called.at(-1) !== hook) await new Promise((resolve) => setTimeout(resolve, 1))
    await run.engine.shutdown(25_000)
    const { outcome } = await done
    expect(outcome).toMatchObject({ status: 'aborted', error: { code: 'RUN_ABORTED' } })
    expect(exitCodes[outcome.status]).toBe(143)
    expect(called).toEqual([...order.slice(0, order.indexOf(hook) + 1), 'onError', 'onFinish'])
    expect(run.engine.journal.pendingUndos()).toEqual([])
  })
})

/** Two targets, of which some fail. */
function two(failing: readonly string[], called: string[]): Plugin {
  const note = (hook: HookName) => () => void called.push(hook)
  return definePlugin({
    name: 'two',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    targets: () => ['a', 'b'].map((id) => ({ id, labels: {}, data: null })),
    hooks: {
      beforeBackups: note('beforeBackups'),
      async backups(ctx) {
        called.push(`backups ${ctx.target.id}`)
        if (failing.includes(ctx.target.id)) throw new Error('broken')
        await ctx.createArtifact('data', (sink) => sink.write(Buffer.from('data')))
      },
      afterBackups: note('afterBackups'),
      verifyBackups: (ctx) => void called.push(`verifyBackups ${ctx.target.id}`),
      pruneBackups: (ctx) => void called.push(`pruneBackups ${ctx.target.id}`),
      maintain: note('maintain'),
      onError: note('onError'),
      onFinish: note('onFinish'),
    },
  })({})
}

describe('a run that ends as', () => {
  test('partial calls each hook for what succeeded, and onError', async () => {
    const called: string[] = []
    const run = await testRun({ use: [two(['a'], called)], plan: { retention: { latest: 1 } } })
    const { outcome } = await run.run()
    expect([outcome.status, exitCodes[outcome.status]]).toEqual(['partial', 4])
    expect(called).toEqual([
      'beforeBackups',
      'backups a',
      'backups b',
      'afterBackups',
      'verifyBackups b',
      'pruneBackups b',
      'maintain',
      'onError',
      'onFinish',
    ])
  })

  test('failed, because every target did, prunes and maintains nothing', async () => {
    const called: string[] = []
    const run = await testRun({ use: [two(['a', 'b'], called)], plan: { retention: { latest: 1 } } })
    const { outcome } = await run.run()
    expect([outcome.status, exitCodes[outcome.status]]).toEqual(['failed', 1])
    expect(called).toEqual(['beforeBackups', 'backups a', 'backups b', 'onError', 'onFinish'])
  })

  test('skipped, because the store is another installation’s, calls onFinish only', async () => {
    const called: string[] = []
    const storage = memoryStorage()
    const run = await testRun({ use: [two([], called)], config: { storage } })
    const claim = await claimStore({
      driver: storage,
      instance: 'default',
      plan: 'test',
      holder: { stateId: 'another installation', host: 'elsewhere' },
      run: 'theirs',
      clock: run.clock,
      log: run.engine.services.log,
    })
    const { outcome } = await run.run()
    expect(outcome).toMatchObject({ status: 'skipped', reason: 'store-owned', error: { code: 'STORE_OWNED' } })
    expect(exitCodes[outcome.status]).toBe(75)
    expect(called).toEqual(['onFinish'])
    await claim.release()
    expect((await run.run()).outcome.status).toBe('succeeded')
  })

  test('empty, where that is allowed, quiesces nothing and succeeds', async () => {
    const called: string[] = []
    const run = await testRun({ use: [backup({ targets: [], called })], plan: { allowEmpty: true } })
    expect((await run.run()).outcome).toMatchObject({ status: 'succeeded', reason: 'empty' })
    expect(called).toEqual(['validate', 'onFinish'])
  })
})
