import { HoldfastError, type RestorePoint, type Run } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { newRunState, outcomeOf, type RunState, type TargetState } from '../../src/lifecycle/outcome.ts'
import type { Participant, ResolvedPlan } from '../../src/load/resolved.ts'

const run: Run = { id: 'r', plan: 'p', attempt: 1, scheduledFor: new Date(0), trigger: 'manual', dryRun: false }
const plan = { name: 'p', allowEmpty: false, maintenance: false } as ResolvedPlan
const error = new HoldfastError({ code: 'X', message: 'x' })
const point = (of: RestorePoint['state']): RestorePoint => ({
  id: '1',
  target: 't',
  createdAt: new Date(0),
  state: of,
  ref: null,
})

type Brief = [TargetState['status'], TargetState['verification'], RestorePoint['state']?]
function state(targets: readonly Brief[], more: Partial<RunState> = {}): RunState {
  const states = targets.map(([status, verification, points], index): TargetState => ({
    target: { id: `t${index}`, labels: {}, data: null },
    owner: {} as Participant,
    status,
    verification,
    points: points ? [point(points)] : [],
    leftBehind: [],
    reason: undefined,
    error: status === 'failed' || verification === 'unverified' ? error : undefined,
  }))
  return { ...newRunState(run, plan), targets: states, ...more }
}

const ok: Brief = ['succeeded', 'verified', 'valid']
const table: readonly [string, RunState, string, string?][] = [
  ['all verified', state([ok, ok]), 'succeeded'],
  ['verification does not apply', state([['succeeded', 'not-applicable']]), 'succeeded'],
  ['one skipped, one good', state([['skipped', 'not-applicable'], ok]), 'succeeded'],
  ['one failed, one good', state([['failed', 'not-applicable'], ok]), 'partial', 'X'],
  ['one aborted, one good', state([['aborted', 'not-applicable'], ok]), 'partial'],
  ['one never came to its turn', state([['pending', 'not-applicable'], ok]), 'partial'],
  ['one unverified', state([ok, ['succeeded', 'unverified', 'valid']]), 'partial', 'X'],
  ['one suspect', state([['succeeded', 'verified', 'suspect']]), 'partial', 'TARGET_SUSPECT'],
  ['all failed', state([['failed', 'not-applicable']]), 'failed', 'X'],
  [
    'failed and skipped',
    state([
      ['failed', 'not-applicable'],
      ['skipped', 'not-applicable'],
    ]),
    'failed',
    'X',
  ],
  ['all skipped', state([['skipped', 'not-applicable']]), 'failed', 'ALL_TARGETS_SKIPPED'],
  ['none found', state([]), 'failed', 'NO_TARGETS'],
  ['none found, allowed', state([], { plan: { ...plan, allowEmpty: true } }), 'succeeded'],
  [
    'all skipped, allowed',
    state([['skipped', 'not-applicable']], { plan: { ...plan, allowEmpty: true } }),
    'succeeded',
  ],
  [
    'all failed, empty allowed',
    state([['failed', 'not-applicable']], { plan: { ...plan, allowEmpty: true } }),
    'failed',
    'X',
  ],
  ['a run-level hook failed', state([ok], { runError: error }), 'failed', 'X'],
  ['shut down', state([ok], { aborted: error }), 'aborted', 'X'],
  ['shut down after a failure', state([ok], { aborted: error, runError: error }), 'aborted', 'X'],
  ['not begun', state([], { skipped: { reason: 'busy', error } }), 'skipped', 'X'],
  ['a maintenance plan', state([], { plan: { ...plan, maintenance: true } }), 'succeeded'],
  ['a boot', state([], { run: { ...run, trigger: 'boot' } }), 'succeeded'],
  ['a dry run', state([['pending', 'not-applicable']], { run: { ...run, dryRun: true } }), 'succeeded'],
]

test.each(table)('%s', (_, given, status, code) => {
  const outcome = outcomeOf(given)
  expect(outcome.status).toBe(status)
  if (code !== undefined) expect(outcome.error?.code).toBe(code)
})
