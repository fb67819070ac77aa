import { advanceUntil, createTestRun, type TestRun } from '@holdfast/testing'
import { defineHook, definePlugin, type HookModule, type Plugin } from '@holdfast/sdk'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { anything, backup, effects } from './hooks.ts'
import { testRun } from './test-run.ts'

/** A hook module that takes something and leaves it to the window to give it back. */
function quiesce(world: ReturnType<typeof effects>, what: string, then?: () => void): HookModule {
  return defineHook(
    'beforeBackups',
    async ({ undo }) => {
      await undo.arm(world.undo, what)
      world.held.add(what)
      then?.()
    },
    { name: `quiesce-${what}`, undos: [world.undo] },
  )
}

describe('the window of beforeBackups', () => {
  test('closes as soon as the last backup settles, before afterBackups', async () => {
    const world = effects()
    const during: Record<string, boolean> = {}
    const look = (hook: 'backups' | 'afterBackups' | 'verifyBackups'): HookModule =>
      defineHook(hook, () => void (during[hook] = world.held.has('app')), { name: `look-${hook}` })
    const run = await testRun([
      quiesce(world, 'app'),
      backup({ targets: ['a', 'b'] }),
      look('afterBackups'),
      look('verifyBackups'),
    ])
    const { outcome } = await run.run()
    expect(outcome.status).toBe('succeeded')
    expect(during).toEqual({ afterBackups: false, verifyBackups: false })
    const thawed = run.journal.indexOf('release done')
    expect(run.journal.slice(0, thawed).filter((line) => line.startsWith('target '))).toEqual(
      expect.arrayContaining(['target a succeeded', 'target b succeeded']),
    )
    expect(run.journal.slice(thawed).find((line) => line.startsWith('afterBackups'))).toBeDefined()
  })

  test('closes when a hook of beforeBackups fails, and nothing was backed up', async () => {
    const world = effects()
    const called: string[] = []
    const failing = quiesce(world, 'second', () => {
      throw new Error('cannot quiesce')
    })
    const run = await testRun([quiesce(world, 'first'), failing, backup({ called })])
    const { outcome } = await run.run()
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'HOOK_FAILED', hook: 'beforeBackups' } })
    expect(world.order).toEqual(['second', 'first'])
    expect(world.held.size).toBe(0)
    expect(called).not.toContain('backups')
  })

  test('an attempt that failed gives everything back before the next one begins', async () => {
    const world = effects()
    const heldAtStart: number[] = []
    const retried = defineHook(
      'beforeBackups',
      {
        retry: { attempts: 3, backoff: '1s' },
        async handler({ undo }) {
          heldAtStart.push(world.held.size)
          await undo.arm(world.undo, 'app')
          world.held.add('app')
          if (heldAtStart.length < 3) throw new Error('not yet')
        },
      },
      { name: 'retried', undos: [world.undo] },
    )
    const run = await testRun([retried, backup({})])
    expect((await advanceUntil(run.clock, run.run())).outcome.status).toBe('succeeded')
    expect(heldAtStart).toEqual([0, 0, 0])
    expect(world.order).toEqual(['app', 'app', 'app'])
  })
})

describe('undos armed for a target', () => {
  const freezer = (world: ReturnType<typeof effects>, after: (target: string) => void = () => {}): Plugin =>
    definePlugin({
      name: 'freezer',
      version: '1.0.0',
      sdk: '^1.0',
      config: anything<object>(),
      undos: [world.undo],
      targets: () => ['a', 'b'].map((id) => ({ id, labels: {}, data: null })),
      hooks: {
        async backups(ctx) {
          const armed = await ctx.undo.arm(world.undo, ctx.target.id)
          world.held.add(ctx.target.id)
          after(ctx.target.id)
          await armed.fire()
          expect(world.held.has(ctx.target.id)).toBe(false)
          await armed.fire()
          await ctx.createArtifact('image', (sink) => sink.write(Buffer.from('x')))
        },
      },
    })({})

  test('fire per volume, once, whatever becomes of the others', async () => {
    const world = effects()
    const run = await testRun([
      freezer(world, (target) => {
        if (target === 'a') throw new Error('snapshot failed')
      }),
    ])
    const { outcome } = await run.run()
    expect(outcome.status).toBe('partial')
    expect(outcome.targets.map(({ status }) => status)).toEqual(['failed', 'succeeded'])
    expect(world.order).toEqual(['a', 'b'])
    expect(world.held.size).toBe(0)
  })

  test('an undo that its plugin does not list is refused before any effect', async () => {
    const world = effects()
    const unlisted = defineHook('beforeBackups', ({ undo }) => undo.arm(world.undo, 'app'), { name: 'unlisted' })
    const run = await testRun([unlisted, backup({})])
    expect((await run.run()).outcome.error).toMatchObject({ code: 'UNDO_NOT_REGISTERED' })
  })

  test('a disarmed undo never runs', async () => {
    const world = effects()
    const keep = defineHook('maintain', async ({ undo }) => (await undo.arm(world.undo, 'app')).disarm(), {
      name: 'keep',
      undos: [world.undo],
    })
    const run = await testRun([keep])
    expect((await run.run()).outcome.status).toBe('succeeded')
    expect(world.order).toEqual([])
    expect(run.engine.journal.pendingUndos()).toEqual([])
  })

  test('an undo that another process ran fails its target', async () => {
    const world = effects()
    const started: { run?: TestRun } = {}
    const taken = freezer(world, (target) => {
      if (target !== 'a') return
      const [pending] = started.run?.engine.journal.pendingUndos() ?? []
      started.run?.engine.journal.claimUndo(pending?.id ?? '', 'another process')
      started.run?.engine.journal.settleUndo(pending?.id ?? '', 'done')
    })
    const run = (started.run = await testRun([taken]))
    const { outcome } = await run.run()
    expect(outcome.targets[0]).toMatchObject({ status: 'failed', error: { code: 'UNDO_TAKEN' } })
    expect(outcome.targets[1]).toMatchObject({ status: 'succeeded' })
  })
})

describe('arming', () => {
  test('after the hook has ended is refused: nothing would give it back', async () => {
    const world = effects()
    let late: Promise<unknown> = Promise.resolve()
    const floating = defineHook(
      'maintain',
      ({ undo, clock }) => {
        late = clock.sleep('1m').then(() => undo.arm(world.undo, 'app'))
        late.catch(() => {})
      },
      { name: 'floating', undos: [world.undo] },
    )
    const run = await testRun([floating])
    await run.run()
    await run.clock.advance('2m')
    await expect(late).rejects.toMatchObject({ code: 'UNDO_NOT_ARMED' })
    expect(run.engine.journal.pendingUndos()).toEqual([])
  })

  test('that its second home refuses has no effect and leaves nothing pending', async () => {
    const world = effects()
    const run = await testRun([quiesce(world, 'app'), backup({})])
    Object.assign(run.engine.services, {
      undoMirror: {
        put: () => Promise.reject(new Error('forbidden')),
        remove: () => Promise.resolve(),
        removeLeft: () => Promise.resolve(),
      },
    })
    expect((await run.run()).outcome.error).toMatchObject({ code: 'UNDO_NOT_ARMED' })
    expect(world.held.size).toBe(0)
    expect(world.order).toEqual([])
    expect(run.engine.journal.pendingUndos()).toEqual([])
  })

  test.each<[what: string, input: unknown, reason: string]>([
    ['what its schema does not take', { pth: '/data' }, 'path: must be text'],
    ['what is no JSON', { path: 1n }, 'Do not know how to serialize a BigInt'],
    ['what JSON has no word for', () => '/data', 'it is a function'],
  ])('refuses %s before the effect, as a mistake of who arms it', async (_, input, reason) => {
    const world = effects()
    const undo = {
      ...world.undo,
      input: {
        '~standard': {
          ...anything<string>()['~standard'],
          validate: (value: unknown) =>
            typeof (value as { path?: unknown }).path === 'string'
              ? { value: 'x' }
              : { issues: [{ message: 'must be text', path: ['path'] }] },
        },
      },
    }
    const after = vi.fn()
    const hook = defineHook(
      'maintain',
      async (ctx) => {
        await ctx.undo.arm(undo, input as string)
        after()
      },
      { name: 'hook', undos: [undo] },
    )
    const run = await testRun([hook])
    expect((await run.run()).outcome.error).toMatchObject({
      code: 'UNDO_INPUT_REFUSED',
      message: `"hook" armed the undo "${world.undo.name}" with what it does not take: ${reason}`,
      hint: expect.stringContaining('The effect did not happen'),
    })
    expect(after).not.toHaveBeenCalled()
    expect(run.engine.journal.pendingUndos()).toEqual([])
  })

  test('passes to the undo of a later process what it passes to its own', async () => {
    const world = effects()
    const seen: string[] = []
    const undo = {
      ...world.undo,
      input: {
        '~standard': {
          ...anything<string>()['~standard'],
          validate: (value: unknown) => ({ value: `${String(value)}/` }),
        },
      },
      run: (path: string) => void seen.push(path),
    }
    const hook = (hangs: boolean): HookModule =>
      defineHook(
        'maintain',
        async (ctx) => {
          await ctx.undo.arm(undo, 'data')
          if (hangs) await new Promise(() => {})
        },
        { name: 'hook', undos: [undo] },
      )
    const run = await testRun([hook(false)])
    await run.run()
    await run.restart([hook(true)])
    void run.run()
    while (run.engine.journal.pendingUndos().length === 0) await new Promise((resolve) => setImmediate(resolve))
    await run.restart()
    await run.engine.recover()
    expect(seen).toEqual(['data/', 'data/'])
  })
})

test('an undo that could not be disarmed runs at the end of its window', async () => {
  const world = effects()
  const started: { run?: TestRun } = {}
  const hook = defineHook(
    'maintain',
    async ({ undo }) => {
      const armed = await undo.arm(world.undo, 'app')
      const journal = started.run?.engine.journal as TestRun['engine']['journal']
      const original = journal.disarmUndo.bind(journal)
      journal.disarmUndo = () => {
        journal.disarmUndo = original
        throw new Error('disk full')
      }
      await armed.disarm()
    },
    { name: 'hook', undos: [world.undo] },
  )
  const run = (started.run = await testRun([hook]))
  expect((await run.run()).outcome.status).toBe('failed')
  expect(world.order).toEqual(['app'])
  expect(run.engine.journal.pendingUndos()).toEqual([])
})

test('what is being given back by a living process is not given back by a second one, even by force', async () => {
  const world = effects()
  let inside = 0
  let most = 0
  const slow = {
    ...world.undo,
    async run(what: string, { clock }: Parameters<typeof world.undo.run>[1]) {
      most = Math.max(most, ++inside)
      await clock.sleep('10s')
      inside -= 1
      world.order.push(what)
    },
  }
  const hook = defineHook('maintain', ({ undo }) => undo.arm(slow, 'app'), { name: 'hook', undos: [slow] })
  const run = await testRun([hook])
  const done = run.run()
  while (inside === 0) await new Promise((resolve) => setImmediate(resolve))
  const other = await testRun([hook], { stateDirectory: run.stateDirectory })
  expect(await other.engine.runUndos({ force: true })).toMatchObject([{ result: 'alive' }])
  // Nor by anybody else in the same process.
  expect(await run.engine.runUndos({ force: true })).toMatchObject([{ result: 'alive' }])
  expect((await advanceUntil(run.clock, done)).outcome.status).toBe('succeeded')
  expect([world.order, most]).toEqual([['app'], 1])
})

test('what a living process has given up on with its run is given back by whoever is asked to', async () => {
  const world = effects()
  let isBusy = true
  const stuck = {
    ...world.undo,
    deadline: '1s' as const,
    run(what: string) {
      if (isBusy) throw new Error('device busy')
      world.order.push(what)
    },
  }
  const { promise, resolve } = Promise.withResolvers<void>()
  const hook = defineHook(
    'maintain',
    async ({ undo }) => {
      await undo.arm(stuck, 'app')
      await promise
    },
    { name: 'hook', undos: [stuck] },
  )
  const run = await testRun([hook])
  const done = run.run()
  while (run.engine.journal.pendingUndos().length === 0) await new Promise((next) => setImmediate(next))
  const other = await testRun([hook], { stateDirectory: run.stateDirectory })
  // The run goes on, and gives it back itself.
  expect(await other.engine.runUndos({})).toMatchObject([{ result: 'alive' }])
  resolve()
  expect((await advanceUntil(run.clock, done)).outcome.status).toBe('failed')
  isBusy = false
  expect(await other.engine.runUndos({})).toMatchObject([{ result: 'done' }])
  expect(world.order).toEqual(['app'])
  expect(run.engine.journal.pendingUndos()).toEqual([])
})

test('a hook is not tried again while what it took is still taken', async () => {
  const world = effects()
  const stuck = { ...world.undo, deadline: '1s' as const, run: () => Promise.reject(new Error('no')) }
  let attempts = 0
  const hook = defineHook(
    'beforeBackups',
    {
      retry: { attempts: 3 },
      async handler({ undo }) {
        attempts += 1
        await undo.arm(stuck, 'app')
        throw new Error('broken')
      },
    },
    { name: 'hook', undos: [stuck] },
  )
  const run = await testRun([hook, backup({})])
  const { outcome } = await advanceUntil(run.clock, run.run())
  expect(outcome).toMatchObject({
    error: { message: expect.stringContaining('broken') },
    warnings: [{ code: 'UNDO_FAILED' }],
  })
  expect(attempts).toBe(1)
  expect(await run.metrics.text()).toMatch(/holdfast_undos_pending\{kind="release"\} 1/)
})

test('deadlines of a recovery count from its beginning: one that fails takes no time from the others', async () => {
  const world = effects()
  const tried = { bad: 0, good: 0 }
  const bad = { ...world.undo, name: 'bad', run: () => Promise.reject(new Error(`no ${++tried.bad}`)) }
  const good = {
    ...world.undo,
    name: 'good',
    run() {
      if (++tried.good < 3) throw new Error('not yet')
    },
  }
  const hook = defineHook(
    'maintain',
    async ({ undo }) => {
      await undo.arm(good, 'good')
      await undo.arm(bad, 'bad')
      await new Promise(() => {})
    },
    { name: 'hook', undos: [good, bad] },
  )
  const run = await testRun([hook])
  void run.run()
  while (run.engine.journal.pendingUndos().length < 2) await new Promise((resolve) => setImmediate(resolve))
  await run.restart()
  const recovering = run.engine.finishRecovery()
  await run.clock.advance('5s')
  expect(tried.good).toBe(3)
  const results = await advanceUntil(run.clock, recovering)
  expect(results.map(({ result }) => result)).toEqual(['failed', 'done'])
  expect(await run.metrics.text()).toMatch(/holdfast_undos_pending\{kind="bad"\} 1/)
})

describe('an undo that fails', () => {
  const stubborn = (failures: number, world = effects()) => {
    let left = failures
    const original = world.undo.run.bind(world.undo)
    return {
      ...world,
      undo: {
        ...world.undo,
        run(input: string, ctx: Parameters<typeof original>[1]) {
          if (left-- > 0) throw new Error('still busy')
          return original(input, ctx)
        },
      },
    }
  }

  test('is tried again until it succeeds', async () => {
    const world = stubborn(5)
    const run = await testRun([quiesce(world, 'app'), backup({})])
    expect((await advanceUntil(run.clock, run.run())).outcome.status).toBe('succeeded')
    expect(world.order).toEqual(['app'])
  })

  test('fault F7: to its deadline makes the run fail, keeps it pending, and does not keep the other undos from running', async () => {
    const world = stubborn(Infinity)
    const other = effects()
    const run = await testRun([quiesce(other, 'other'), quiesce(world, 'app'), backup({})])
    const { outcome } = await advanceUntil(run.clock, run.run())
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'UNDO_FAILED' } })
    expect(other.order).toEqual(['other'])
    expect(run.engine.journal.pendingUndos()).toMatchObject([{ undo: 'release', state: 'armed' }])
    expect(await run.metrics.text()).toMatch(/holdfast_undo_failures_total\{kind="release"\} 1/)
  })

  test('fault F7: to its deadline says why it failed, and not that its last attempt had no time', async () => {
    const world = effects()
    const slow = {
      ...world.undo,
      async run(_: string, { clock }: { readonly clock: { sleep(ms: number): Promise<void> } }) {
        await clock.sleep(5)
        throw new Error('device busy')
      },
    }
    const run = await testRun([quiesce({ ...world, undo: slow }, 'app'), backup({})])
    const { outcome } = await advanceUntil(run.clock, run.run())
    expect(outcome.error?.message).toBe('the undo "release" did not succeed: device busy')
    expect(run.engine.journal.pendingUndos()).toMatchObject([{ error: 'device busy' }])
  })

  test('fault F12: what can not be armed has no effect', async () => {
    const world = effects()
    const run = await testRun([quiesce(world, 'app'), backup({})])
    run.engine.journal.armUndo = () => {
      throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
    }
    const { outcome } = await run.run()
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'UNDO_NOT_ARMED' } })
    expect(world.held.size).toBe(0)
  })

  test('fault F12: a journal that can no longer be written keeps nothing held and no backup from ending', async () => {
    const world = effects()
    const full = (): never => {
      throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
    }
    const started: { run?: TestRun } = {}
    const run = (started.run = await testRun([
      quiesce(world, 'app', () => {
        const journal = started.run?.engine.journal
        if (journal)
          Object.assign(journal, {
            claimUndo: full,
            settleUndo: full,
            hookStarted: full,
            hookEnded: full,
            recordTarget: full,
          })
      }),
      backup({}),
    ]))
    const { outcome } = await run.run()
    expect(world.held.size).toBe(0)
    expect(outcome.status).toBe('succeeded')
    expect(run.log.join('')).toContain('will run once more')
  })
})

test('property: undos run newest first, all of them, whichever fail and whenever the run fails', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ fails: fc.boolean(), disarm: fc.boolean() }), { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      async (steps, runFails) => {
        const world = effects()
        const failing = new Set(steps.flatMap(({ fails }, index) => (fails ? [`${index}`] : [])))
        const original = world.undo.run.bind(world.undo)
        const undo = {
          ...world.undo,
          run(input: string, ctx: Parameters<typeof original>[1]) {
            // The first attempt of some fails.
            if (failing.delete(input)) throw new Error('busy')
            return original(input, ctx)
          },
        }
        const hook = defineHook(
          'maintain',
          async (ctx) => {
            for (const [index, { disarm }] of steps.entries()) {
              const armed = await ctx.undo.arm(undo, `${index}`)
              if (disarm) await armed.disarm()
            }
            if (runFails) throw new Error('on purpose')
          },
          { name: 'hook', undos: [undo] },
        )
        const run = await createTestRun({ use: [hook] })
        const { outcome } = await advanceUntil(run.clock, run.run())
        await run.close()
        expect(outcome.status).toBe(runFails ? 'failed' : 'succeeded')
        const expected = steps.flatMap(({ disarm }, index) => (disarm ? [] : [`${index}`])).toReversed()
        expect(world.order).toEqual(expected)
      },
    ),
    { numRuns: 25 },
  )
})
