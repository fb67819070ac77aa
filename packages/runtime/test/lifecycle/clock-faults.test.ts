import { definePlugin } from '@holdfast/sdk'
import { memoryStorage, type TestRun } from '@holdfast/testing'
import { describe, expect, test } from 'vitest'
import { anything } from './hooks.ts'
import { isReadable, listed } from './lost-nothing.ts'
import { testRun } from './test-run.ts'

const database = definePlugin({
  name: 'database',
  version: '1.0.0',
  sdk: '^1.0',
  config: anything<object>(),
  hooks: { backups: (ctx) => ctx.createArtifact('dump', (sink) => sink.write(Buffer.from(`rows of ${ctx.run.id}`))) },
})({})

/** A plan that keeps one backup, and has one, of today. */
async function withOne(): Promise<TestRun> {
  const run = await testRun([database], {
    config: { storage: memoryStorage() },
    plan: { retention: { latest: 1 } },
    now: '2026-11-20T02:00:00Z',
  })
  expect((await run.run()).outcome.status).toBe('succeeded')
  return run
}

const dates = async (run: TestRun): Promise<readonly string[]> =>
  (await listed(run)).map(({ startedAt }) => startedAt.toISOString().slice(0, 10))

describe('fault F50: a clock', () => {
  test('that was set back: what a run has just made is not what its retention lets go', async () => {
    const run = await withOne()
    run.clock.jump(new Date('1970-01-01').getTime() - run.clock.now().getTime())
    for (const expected of ['1970-01-02', '1970-01-03']) {
      await run.clock.advance('1d')
      const { outcome } = await run.run()
      expect(outcome.error).toBeUndefined()
      expect(outcome.status).toBe('succeeded')
      // The last one, and the newest one by its date.
      expect(await dates(run)).toEqual(['2026-11-20', expected])
    }
    for (const artifact of await listed(run)) expect(await isReadable(run, artifact)).toBe(true)
  })

  test('that was ahead: backups from the future stay, and take nobody’s place', async () => {
    const run = await withOne()
    run.clock.jump(365 * 86_400_000)
    expect((await run.run()).outcome.status).toBe('succeeded')
    expect(await dates(run)).toEqual(['2027-11-20'])
    run.clock.jump(-365 * 86_400_000)
    for (const expected of ['2026-11-21', '2026-11-22']) {
      await run.clock.advance('1d')
      expect((await run.run()).outcome.status).toBe('succeeded')
      expect(await dates(run)).toEqual(['2027-11-20', expected])
    }
  })
})
