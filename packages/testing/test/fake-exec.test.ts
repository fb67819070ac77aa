// The bad days of fake commands, as a plugin on the real runner meets them.
import { defineHook } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { advanceUntil } from '../src/advance-until.ts'
import { createTestRun, type TestRun } from '../src/create-test-run.ts'
import {
  dropsWithoutStatus,
  fakeExec,
  hangs,
  ignoresAbort,
  replies,
  slowSink,
  truncates,
  type FakeCommand,
} from '../src/fake-exec.ts'

async function dumpBy(command: FakeCommand): Promise<TestRun> {
  const dump = defineHook(
    'backups',
    {
      handler: ({ createArtifact, exec }) =>
        createArtifact('dump', (stdout) => exec.local({ command: ['dump'], stdout, integrity: 'bytes' })),
      timeout: '10m',
    },
    { name: 'dump' },
  )
  return createTestRun({ use: [dump], exec: fakeExec({ dump: command }) })
}

async function stored(run: TestRun): Promise<number> {
  let bytes = -1
  for await (const { size } of run.engine.services.store().list({})) bytes = size
  return bytes
}

test('replies: a whole dump is stored', async () => {
  await using run = await dumpBy(replies({ stdout: 'whole' }))
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(await stored(run)).toBe(5)
})

test('slowSink: the output takes its time, and is whole', async () => {
  await using run = await dumpBy(slowSink({ stdout: 'x'.repeat(5000) }, { pause: '1m', bytes: 1000 }))
  const began = run.clock.now().getTime()
  expect((await advanceUntil(run.clock, run.run(), '10s')).outcome.status).toBe('succeeded')
  expect(run.clock.now().getTime() - began).toBeGreaterThanOrEqual(300_000)
  expect(await stored(run)).toBe(5000)
})

test.each([
  [
    'slowSink, beyond the deadline of the hook',
    slowSink({ stdout: 'x'.repeat(5000) }, { pause: '5m' }),
    'HOOK_TIMEOUT',
  ],
  ['hangs', hangs(), 'HOOK_TIMEOUT'],
  ['ignoresAbort (what is stored heeds it)', ignoresAbort(), 'HOOK_TIMEOUT'],
  ['dropsWithoutStatus', dropsWithoutStatus(), 'EXEC_LOST'],
  ['truncates', truncates('the whole dump', 'the whole'), 'EXEC_TRUNCATED'],
])('%s: nothing is stored, and the error says why', async (_, command, code) => {
  await using run = await dumpBy(command)
  const { outcome } = await advanceUntil(run.clock, run.run(), '10s')
  expect(outcome.targets.map(({ error }) => error?.code)).toEqual([code])
  expect(await stored(run)).toBe(-1)
})
