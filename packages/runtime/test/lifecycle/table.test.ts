// Every outcome × every hook: which hooks run, how often, which status and which exit code.
import { createTestRun, type TestRun } from '@holdfast/testing'
import type { HookName, RunStatus } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { exitCodes } from '../../src/lifecycle/outcome.ts'
import { lifecyclePolicy } from '../../src/lifecycle/policy.ts'
import { backup, type Behaviour } from './hooks.ts'

const every: readonly HookName[] = [
  'validate',
  'beforeBackups',
  'backups',
  'afterBackups',
  'verifyBackups',
  'pruneBackups',
  'maintain',
]

interface Row {
  readonly status: RunStatus
  /** Hooks that run, once each, in this order; onFinish always runs last. */
  readonly runs: readonly HookName[]
}

/** What a failing hook leads to. */
const table: { readonly [Name in HookName]?: Row } = {
  validate: { status: 'failed', runs: ['validate', 'onError'] },
  beforeBackups: { status: 'failed', runs: ['validate', 'beforeBackups', 'onError'] },
  backups: { status: 'failed', runs: ['validate', 'beforeBackups', 'backups', 'onError'] },
  afterBackups: {
    status: 'failed',
    runs: ['validate', 'beforeBackups', 'backups', 'afterBackups', 'verifyBackups', 'onError'],
  },
  verifyBackups: {
    status: 'partial',
    runs: ['validate', 'beforeBackups', 'backups', 'afterBackups', 'verifyBackups', 'maintain', 'onError'],
  },
  pruneBackups: { status: 'succeeded', runs: [...every] },
  maintain: { status: 'failed', runs: [...every, 'onError'] },
  onError: { status: 'succeeded', runs: [...every] },
  onFinish: { status: 'succeeded', runs: [...every] },
}
const codes: Readonly<Record<RunStatus, number>> = { succeeded: 0, failed: 1, partial: 4, skipped: 75, aborted: 143 }

describe.each(['throws', 'hangs', 'ignores abort'] as const)('a hook that %s', (behaviour: Behaviour) => {
  test.each(Object.entries(table) as [HookName, Row][])('%s', async (hook, { status, runs }) => {
    const called: string[] = []
    const run = await createTestRun({
      use: [backup({ behaviours: { [hook]: behaviour }, called })],
      plan: { retention: { latest: 2 } },
    })
    const done = run.run()
    if (behaviour !== 'throws') await waitOut(run, hook)
    const { outcome } = await done
    expect(called).toEqual([...runs, 'onFinish'])
    expect(outcome.status).toBe(status)
    expect(exitCodes[outcome.status]).toBe(codes[status])
    const failure = outcome.error ?? outcome.warnings[0]
    if (hook !== 'onError') {
      expect(failure?.code).toBe(
        { throws: 'HOOK_FAILED', hangs: 'HOOK_TIMEOUT', 'ignores abort': 'HOOK_ABANDONED' }[behaviour as string],
      )
      expect(failure).toMatchObject({ hook, plugin: 'backup' })
    }
    expect(run.engine.journal.runs()).toMatchObject([{ status }])
    await run.close()
  })
})

test('a run in which nothing fails calls every hook once, but onError', async () => {
  const called: string[] = []
  const run = await createTestRun({ use: [backup({ called })], plan: { retention: { latest: 2 } } })
  const { outcome } = await run.run()
  expect(outcome).toMatchObject({ status: 'succeeded', targets: [{ status: 'succeeded', verification: 'verified' }] })
  expect(called).toEqual([...every, 'onFinish'])
  await run.close()
})

/** Lets the time of a hook run out, and its grace, once it has begun: nothing else goes on then. */
async function waitOut(run: TestRun, hook: HookName): Promise<void> {
  if (hook === 'onError') return
  const begun = (): boolean => run.journal.some((line) => line.startsWith(`${hook} backup`))
  while (!begun()) await new Promise((resolve) => setTimeout(resolve, 1))
  await run.clock.advance(lifecyclePolicy[hook].timeout)
  await run.clock.advance('1m')
}
