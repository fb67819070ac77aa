import { createTestRun } from '@holdfast/testing'
import { inspectPlan, validatePlan } from '@holdfast/runtime'
import { defineHook, type CheckContext } from '@holdfast/sdk'
import { expect, onTestFinished, test } from 'vitest'
import { backup } from './hooks.ts'

const never = new AbortController().signal

test('every validate hook is heard outside a run, and told why it is asked', async () => {
  const phases: CheckContext<unknown>['phase'][] = []
  const check = (name: string, message?: string) =>
    defineHook(
      'validate',
      ({ phase }) => {
        phases.push(phase)
        if (message !== undefined) throw new Error(message)
      },
      { name },
    )
  const run = await createTestRun({ use: [backup({}), check('a', 'no space'), check('b'), check('c', 'no access')] })
  onTestFinished(() => run.close())
  const problems = await validatePlan(run.engine.services, run.engine.plan('test'), 'load', never)
  expect(problems.map(({ plugin, message }) => [plugin, message])).toEqual([
    ['a', expect.stringContaining('no space')],
    ['c', expect.stringContaining('no access')],
  ])
  expect(phases).toEqual(['load', 'load', 'load'])
  expect(run.engine.journal.runs()).toEqual([])
})

test('a look at a plan finds targets, steps and what retention lets go, and calls no handler', async () => {
  const called: string[] = []
  const run = await createTestRun({
    use: [backup({ targets: ['orders', 'users'], called })],
  })
  onTestFinished(() => run.close())
  const plan = run.engine.plan('test')
  for (let i = 0; i < 2; i++) {
    await run.engine.run('test')
    await run.clock.advance('1m')
  }
  called.length = 0
  const targets = await inspectPlan(run.engine.services, { ...plan, retention: { latest: 1 } }, never)
  expect(targets.map(({ id, points, expired }) => [id, points.length, expired.length])).toEqual([
    ['orders', 2, 1],
    ['users', 2, 1],
  ])
  expect(targets[0]?.steps.length).toBeGreaterThan(0)
  expect(called).toEqual([])
})
