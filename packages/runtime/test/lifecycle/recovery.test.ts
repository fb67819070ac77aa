import { createTestRun, type TestRun } from '@holdfast/testing'
import { defineHook, type HookModule } from '@holdfast/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import { anything, effects } from './hooks.ts'

const open: TestRun[] = []
afterEach(async () => {
  for (const run of open.splice(0)) await run.close()
})

/** A run that dies after its effect: the process is replaced while the hook still waits. */
async function dieWhileHeld(world: ReturnType<typeof effects>, next?: readonly HookModule[]): Promise<TestRun> {
  const quiesce = (waits: boolean): HookModule =>
    defineHook(
      'maintain',
      async ({ undo, vars }) => {
        if (!waits) return
        await vars.set('lock', 'token')
        await undo.arm(world.undo, 'app')
        world.held.add('app')
        await new Promise(() => {})
      },
      { name: 'quiesce', undos: [world.undo] },
    )
  const run = await createTestRun({ use: [quiesce(true)] })
  open.push(run)
  void run.run()
  while (!world.held.has('app')) await new Promise((resolve) => setImmediate(resolve))
  await run.restart(next ?? [quiesce(false)])
  return run
}

describe('fault F3: a start after a crash', () => {
  test('gives back what the dead process took, before anything else, and ends its run as aborted', async () => {
    const world = effects()
    const run = await dieWhileHeld(world)
    const { undos, interrupted } = await run.engine.recover()
    expect(undos).toMatchObject([{ result: 'done' }])
    expect(world.held.size).toBe(0)
    expect(interrupted).toHaveLength(1)
    expect(run.engine.journal.runs()).toMatchObject([{ status: 'aborted', error: { code: 'RUN_ABORTED' } }])
    expect(await run.metrics.text()).toMatch(/holdfast_undos_recovered_total\{kind="release"\} 1/)
    expect((await run.run()).outcome.status).toBe('succeeded')
  })

  test('calls onError and onFinish of the interrupted run, once', async () => {
    const world = effects()
    const called: string[] = []
    const run = await dieWhileHeld(world, [
      defineHook('maintain', () => {}, { name: 'quiesce', undos: [world.undo] }),
      defineHook('onError', ({ outcome, run: { id } }) => void called.push(`onError ${outcome.status} ${id}`), {
        name: 'e',
      }),
      defineHook('onFinish', ({ outcome }) => void called.push(`onFinish ${outcome.status}`), { name: 'f' }),
    ])
    const { interrupted } = await run.engine.recover()
    await run.engine.finishRecovery()
    await run.engine.finishRecovery()
    expect(called).toEqual([`onError aborted ${interrupted[0]?.id}`, 'onFinish aborted'])
  })

  test('keeps an undo whose definition is missing, and says so', async () => {
    const world = effects()
    const run = await dieWhileHeld(world, [defineHook('maintain', () => {}, { name: 'quiesce' })])
    const { undos } = await run.engine.recover()
    expect(undos).toMatchObject([{ result: 'failed', error: { code: 'UNDO_UNKNOWN' } }])
    expect(run.engine.journal.pendingUndos()).toHaveLength(1)
    expect(await run.metrics.text()).toMatch(/holdfast_undos_pending\{kind="release"\} 1/)
  })

  test('keeps an undo whose input no longer validates', async () => {
    const world = effects()
    const strict = {
      ...world.undo,
      input: {
        '~standard': {
          ...anything<string>()['~standard'],
          validate: () => ({ issues: [{ message: 'expected a device' }] }),
        },
      },
    }
    const run = await dieWhileHeld(world, [defineHook('maintain', () => {}, { name: 'quiesce', undos: [strict] })])
    const { undos } = await run.engine.recover()
    expect(undos).toMatchObject([
      { result: 'failed', error: { code: 'UNDO_INPUT', message: expect.stringContaining('expected a device') } },
    ])
    expect(run.engine.journal.pendingUndos()).toHaveLength(1)
  })

  test('the interrupted run’s variables are there for its undos, and gone afterwards', async () => {
    const world = effects()
    let seen: string | undefined
    const reading = {
      ...world.undo,
      async run(_: string, { vars, recovered }: Parameters<typeof world.undo.run>[1]) {
        seen = `${await vars.get('lock')} ${recovered}`
      },
    }
    const run = await dieWhileHeld(world, [defineHook('maintain', () => {}, { name: 'quiesce', undos: [reading] })])
    const { existsSync } = await import('node:fs')
    const directory = `${run.stateDirectory}/vars/${run.engine.journal.runs()[0]?.id}`
    expect(existsSync(directory)).toBe(true)
    await run.engine.recover()
    expect(seen).toBe('token true')
    // Its observers may read them too.
    expect(existsSync(directory)).toBe(true)
    await run.engine.finishRecovery()
    expect(existsSync(directory)).toBe(false)
  })

  test('what fails once is tried to its deadline after the boot', async () => {
    const world = effects()
    let failures = 1
    const flaky = {
      ...world.undo,
      run(what: string, ctx: Parameters<typeof world.undo.run>[1]) {
        if (failures-- > 0) throw new Error('no route to host')
        return world.undo.run(what, ctx)
      },
    }
    const run = await dieWhileHeld(world, [defineHook('maintain', () => {}, { name: 'quiesce', undos: [flaky] })])
    expect((await run.engine.recover()).undos).toMatchObject([{ result: 'failed' }])
    expect(await run.engine.finishRecovery()).toMatchObject([{ result: 'done' }])
    expect(world.held.size).toBe(0)
  })
})

test('what a living process holds is left alone', async () => {
  const world = effects()
  const hook = defineHook(
    'maintain',
    async ({ undo }) => {
      await undo.arm(world.undo, 'app')
      world.held.add('app')
      await new Promise(() => {})
    },
    { name: 'quiesce', undos: [world.undo] },
  )
  const first = await createTestRun({ use: [hook] })
  open.push(first)
  void first.run()
  while (!world.held.has('app')) await new Promise((resolve) => setImmediate(resolve))
  const second = await createTestRun({ use: [hook], stateDirectory: first.stateDirectory })
  const { undos, interrupted } = await second.engine.recover()
  expect(undos).toMatchObject([{ result: 'alive' }])
  expect(interrupted).toEqual([])
  expect(world.held.has('app')).toBe(true)
  await second.close()
})

test('what a process on another machine holds is left alone, and reported', async () => {
  const world = effects()
  const run = await dieWhileHeld(world)
  const owner = run.engine.journal.pendingUndos()[0]?.process ?? ''
  const record = run.engine.journal.process(owner)
  run.engine.journal.removeProcess(owner)
  run.engine.journal.addProcess({
    ...(record as NonNullable<typeof record>),
    boot: 'another kernel',
    host: 'another host',
  })
  const { undos, interrupted } = await run.engine.recover()
  expect(undos).toMatchObject([{ result: 'unknown' }])
  expect(interrupted).toEqual([])
  expect(world.held.has('app')).toBe(true)
  expect(run.log.join('')).toContain('nothing was done')
  // A person who knows better can say so.
  expect(await run.engine.runUndos({ force: true })).toMatchObject([{ result: 'done' }])
  expect(world.held.size).toBe(0)
})
