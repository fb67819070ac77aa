import { tmpdir } from 'node:os'
import { advanceUntil } from '@holdfast/testing'
import { defineHook, definePlugin, type HookModule, type Plugin } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import type { StoredArtifact } from '@holdfast/runtime'
import { anything, backup, effects } from './hooks.ts'
import { testRun } from './test-run.ts'

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** Targets that fail, are skipped or hang, by their id. */
function mixed(ids: readonly string[], seen: { most: number; now: number } = { most: 0, now: 0 }): Plugin {
  return definePlugin({
    name: 'mixed',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    targets: () => ids.map((id) => ({ id, labels: {}, data: null })),
    hooks: {
      async backups(ctx) {
        seen.most = Math.max(seen.most, ++seen.now)
        await new Promise((resolve) => setImmediate(resolve))
        seen.now -= 1
        if (ctx.target.id.startsWith('skip')) ctx.skip('not ours')
        if (ctx.target.id.startsWith('fail')) throw new Error('broken')
        if (ctx.target.id.startsWith('hang')) {
          ctx.signal.throwIfAborted()
          await new Promise((_, reject) =>
            ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)),
          )
        }
        await ctx.createArtifact('data', (sink) => sink.write(Buffer.from(ctx.target.id)))
      },
    },
  })({})
}

describe('targets', () => {
  test('are isolated: one fails, one is skipped, the others are backed up and verified', async () => {
    const run = await testRun([mixed(['a', 'fail', 'skip', 'b'])])
    const { outcome } = await run.run()
    expect(outcome.status).toBe('partial')
    expect(outcome.error).toMatchObject({ code: 'HOOK_FAILED', target: 'fail', plugin: 'mixed', hook: 'backups' })
    expect(outcome.targets.map(({ target, status, verification }) => [target.id, status, verification])).toEqual([
      ['a', 'succeeded', 'verified'],
      ['fail', 'failed', 'not-applicable'],
      ['skip', 'skipped', 'not-applicable'],
      ['b', 'succeeded', 'verified'],
    ])
    expect(run.engine.journal.targets(run.engine.journal.runs()[0]?.id ?? '')).toMatchObject([
      { target: 'a' },
      { target: 'fail', status: 'failed', error: { code: 'HOOK_FAILED' } },
      { target: 'skip', reason: 'not ours' },
      { target: 'b' },
    ])
  })

  test('run as many at once as the plan says', async () => {
    const seen = { most: 0, now: 0 }
    const run = await testRun([mixed(['a', 'b', 'c', 'd', 'e', 'f'], seen)], { plan: { concurrency: 3 } })
    expect((await run.run()).outcome.status).toBe('succeeded')
    expect(seen.most).toBe(3)
  })

  test('of one id twice are refused before anything is quiesced', async () => {
    const called: string[] = []
    const run = await testRun([
      mixed(['a', 'a']),
      defineHook('beforeBackups', () => void called.push('x'), { name: 'q' }),
    ])
    expect((await run.run()).outcome).toMatchObject({ status: 'failed', error: { code: 'TARGET_DUPLICATE' } })
    expect(called).toEqual([])
  })

  test.each<[what: string, targets: unknown, message: string]>([
    ['text', ['a'], '"mixed" found a target that is text'],
    ['objects without an id', [{ name: 'a', labels: {}, data: null }], '"mixed" found a target whose id is absent'],
    ['objects with an empty id', [{ id: '', labels: {}, data: null }], '"mixed" found a target whose id is empty'],
  ])('that are %s are refused as that', async (_, targets, message) => {
    const plugin = definePlugin({
      name: 'mixed',
      version: '1.0.0',
      sdk: '^1.0',
      config: anything(),
      targets: () => targets as [],
      hooks: { backups() {} },
    })
    const run = await testRun([plugin({})])
    expect((await run.run()).outcome).toMatchObject({ status: 'failed', error: { code: 'TARGET_INVALID', message } })
  })

  test('that are not there fail the run, and nothing is quiesced', async () => {
    const called: string[] = []
    const run = await testRun([mixed([]), defineHook('beforeBackups', () => void called.push('x'), { name: 'q' })])
    expect((await run.run()).outcome).toMatchObject({ status: 'failed', error: { code: 'NO_TARGETS' } })
    expect(called).toEqual([])
    const allowed = await testRun([mixed([])], { plan: { allowEmpty: true } })
    expect((await allowed.run()).outcome).toMatchObject({ status: 'succeeded', reason: 'empty' })
  })

  test('can be asked for by name', async () => {
    const run = await testRun([mixed(['a', 'b', 'c'])])
    expect((await run.run({ only: ['b'] })).outcome.targets.map(({ target }) => target.id)).toEqual(['b'])
    expect((await run.run({ only: ['x'] })).outcome.error).toMatchObject({
      code: 'TARGET_UNKNOWN',
      hint: expect.stringContaining('a, b, c'),
    })
  })
})

describe('verification', () => {
  const external = (verify?: () => void): Plugin =>
    definePlugin({
      name: 'engine',
      version: '1.0.0',
      sdk: '^1.0',
      config: anything<object>(),
      hooks: {
        backups: (ctx) => ctx.record({ id: ctx.run.id, createdAt: ctx.clock.now(), ref: { version: 1 } }),
        ...(verify && { verifyBackups: verify }),
      },
    })({})

  test('does not apply to a point outside the store that its plugin does not verify, whatever hook modules say', async () => {
    const run = await testRun([external(), defineHook('verifyBackups', () => {}, { name: 'looks-fine' })], {
      plan: { retention: { latest: 1 } },
    })
    const { outcome } = await run.run()
    expect(outcome).toMatchObject({ status: 'succeeded', targets: [{ verification: 'not-applicable' }] })
    expect(run.journal.filter((line) => line.startsWith('pruneBackups'))).toEqual([])
  })

  test('by the plugin of a point outside the store counts', async () => {
    const run = await testRun([external(() => {})])
    expect((await run.run()).outcome).toMatchObject({ status: 'succeeded', targets: [{ verification: 'verified' }] })
  })

  test('that fails in a hook module makes the run partial and keeps everything', async () => {
    const run = await testRun(
      [
        mixed(['a', 'b']),
        defineHook(
          'verifyBackups',
          ({ target }) => {
            if (target.id === 'a') throw new Error('not what I expect')
          },
          { name: 'check' },
        ),
      ],
      { plan: { retention: { latest: 1 } } },
    )
    const { outcome } = await run.run()
    expect(outcome.status).toBe('partial')
    expect(outcome.targets.map(({ verification }) => verification)).toEqual(['unverified', 'verified'])
    // The other target is pruned all the same.
    expect(run.journal.filter((line) => line.startsWith('pruneBackups'))).toEqual(['pruneBackups holdfast b'])
  })

  test.each<[string, () => void, boolean]>([
    ['is content', () => {}, true],
    ['has nothing to say', (ctx?: { skip(reason: string): never }) => ctx?.skip('nothing to look at'), true],
    [
      'refuses them',
      () => {
        throw new Error('not what I expect')
      },
      false,
    ],
  ])('of a plugin that %s decides whether the store calls its artifacts verified', async (_name, verify, isGood) => {
    const run = await testRun([mixed(['a']), defineHook('verifyBackups', verify, { name: 'check' })])
    const { outcome } = await run.run()
    expect(outcome.status).toBe(isGood ? 'succeeded' : 'partial')
    const store = run.engine.store()
    const listed: StoredArtifact[] = []
    for await (const artifact of store.list()) listed.push(artifact)
    expect(listed).toHaveLength(1)
    const [artifact] = listed
    expect(artifact?.verifiedAt !== undefined).toBe(isGood)
    // Read back by hand, it is as readable as the other, and no better.
    const { signal } = new AbortController()
    const { verification } = await store.verify(artifact?.id ?? '', { signal })
    expect(verification.complete).toBe(isGood ? true : undefined)
  })
})

describe('retention', () => {
  test('lets go what it may, and never the newest verified point', async () => {
    const run = await testRun([mixed(['a'])], { plan: { retention: { latest: 2 } } })
    for (let count = 0; count < 4; count++) {
      await run.clock.advance('1d')
      expect((await run.run()).outcome.status).toBe('succeeded')
    }
    const left: string[] = []
    for await (const { run: id } of run.engine.store().list({})) left.push(id)
    const runs = run.engine.journal.runs().map(({ id }) => id)
    expect(left.toSorted()).toEqual(runs.slice(0, 2).toSorted())
  })

  test('lets all go that a run has stored of a target, or nothing, also where midnight lies between', async () => {
    const slow = definePlugin({
      name: 'slow',
      version: '1.0.0',
      sdk: '^1.0',
      config: anything<object>(),
      hooks: {
        async backups(ctx) {
          await ctx.createArtifact('a', (sink) => sink.write(Buffer.from('a')))
          await ctx.clock.sleep('20m')
          await ctx.createArtifact('b', (sink) => sink.write(Buffer.from('b')))
        },
      },
    })({})
    const schedule = { cron: '0 0 * * *', timeZone: 'UTC' }
    const run = await testRun([slow], { plan: { retention: { latest: 1, days: 3 }, schedule } })
    for (let half = 1; half <= 10; half++) {
      // Noon, and ten minutes before midnight.
      const next = Date.UTC(2026, 0, 1 + (half >> 1), half % 2 === 1 ? 12 : 0) - (half % 2 === 1 ? 0 : 10 * 60_000)
      await run.clock.advance(next - run.clock.now().getTime())
      expect((await advanceUntil(run.clock, run.run(), '10m')).outcome.status).toBe('succeeded')
    }
    const names = new Map<string, string[]>()
    for await (const artifact of run.engine.store().list()) {
      names.set(artifact.run, [...(names.get(artifact.run) ?? []), artifact.name])
    }
    expect(names.size).toBe(4)
    for (const stored of names.values()) expect(stored).toEqual(['a', 'b'])
  })

  test('does nothing in a run whose target failed', async () => {
    const run = await testRun([mixed(['a'])], { plan: { retention: { latest: 1 } } })
    await run.run()
    await run.restart([mixed(['fail-a'])])
    await run.clock.advance('1d')
    await run.run()
    expect(run.journal.filter((line) => line.startsWith('pruned'))).toEqual([])
  })
})

describe('a dry run', () => {
  test('calls validate and onFinish, prints what would be done, and does nothing', async () => {
    const called: string[] = []
    const run = await testRun([backup({ called })], { plan: { retention: { latest: 1 } } })
    await run.run()
    await run.clock.advance('1d')
    await run.run()
    await run.clock.advance('1d')
    called.length = 0
    const before = run.events.length
    const { outcome } = await run.run({ dryRun: true })
    expect(outcome).toMatchObject({ status: 'succeeded', reason: 'dry-run' })
    expect(called).toEqual(['validate', 'onFinish'])
    expect(run.events.slice(before).map(({ type }) => type)).toEqual(expect.arrayContaining(['planned', 'pruned']))
    expect(run.engine.journal.history.lastGood({ plan: 'test' })).not.toEqual(run.clock.now())
  })
})

describe('a dry run', () => {
  test('calls no handler of pruneBackups, with or without a retention', async () => {
    const called: string[] = []
    const run = await testRun([backup({ called })])
    await run.run({ dryRun: true })
    expect(called).toEqual(['validate', 'onFinish'])
  })

  test('keeps no backup from running, and is kept by none', async () => {
    const run = await testRun([mixed(['hang'])])
    const cancel = new AbortController()
    const first = run.run({ signal: cancel.signal })
    await until(() => run.journal.includes('backups mixed hang'))
    expect((await run.run({ dryRun: true })).outcome).toMatchObject({ status: 'succeeded', reason: 'dry-run' })
    cancel.abort(new Error('enough'))
    await first
  })
})

test('a retried backup replaces what its failed attempt has stored', async () => {
  let attempt = 0
  const run = await testRun([
    defineHook(
      'backups',
      {
        retry: { attempts: 2 },
        async handler(ctx) {
          attempt += 1
          await ctx.createArtifact('dump', (sink) => sink.write(Buffer.from(`attempt ${attempt}`)))
          if (attempt === 1) throw new Error('the second dump failed')
        },
      },
      { name: 'dump' },
    ),
  ])
  const { outcome } = await advanceUntil(run.clock, run.run())
  expect(outcome).toMatchObject({ status: 'succeeded', targets: [{ verification: 'verified' }] })
  expect(outcome.targets[0]?.points).toHaveLength(1)
  const left: number[] = []
  for await (const { size } of run.engine.store().list({})) left.push(size)
  expect(left).toEqual(['attempt 2'.length])
})

test('points outside the store count as verified, expire, and are forgotten once their plugin has removed them', async () => {
  const removed: string[][] = []
  const plugin = definePlugin({
    name: 'engine',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    hooks: {
      backups: (ctx) => ctx.record({ id: ctx.run.id, createdAt: ctx.clock.now(), ref: { version: 1 } }),
      verifyBackups: () => {},
      pruneBackups: ({ expired }) => void removed.push(expired.map(({ id }) => id)),
    },
  })({})
  const run = await testRun([plugin], { plan: { retention: { latest: 1 } } })
  const ids: string[] = []
  for (let count = 0; count < 3; count++) {
    await run.clock.advance('1d')
    ids.push((await run.run()).run.id)
  }
  expect(removed).toEqual([[], [ids[0]], [ids[1]]])
  expect(run.engine.journal.externalPoints('test', 'engine').map(({ id }) => id)).toEqual([ids[2]])
})

test('an encrypted artifact is verified as far as the plan’s identity allows', async () => {
  const { generateIdentity, identityToRecipient } = await import('age-encryption')
  const identity = await generateIdentity()
  let read = ''
  const run = await testRun(
    [
      mixed(['a']),
      defineHook(
        'verifyBackups',
        async (ctx) => {
          for await (const chunk of ctx.openArtifact(ctx.points[0]?.id ?? '')) read += Buffer.from(chunk).toString()
        },
        { name: 'look' },
      ),
    ],
    {
      plan: { encoding: { recipients: [await identityToRecipient(identity)], identity: { env: 'AGE_IDENTITY' } } },
      env: { AGE_IDENTITY: identity },
    },
  )
  expect((await run.run()).outcome).toMatchObject({ status: 'succeeded', warnings: [] })
  expect(read).toBe('a')
})

describe('cut short', () => {
  test('fault F1: shutdown aborts what runs, gives everything back, and calls the observers', async () => {
    const world = effects()
    const finished: string[] = []
    const run = await testRun([
      defineHook(
        'beforeBackups',
        async ({ undo }) => {
          await undo.arm(world.undo, 'app')
          world.held.add('app')
        },
        { name: 'quiesce', undos: [world.undo] },
      ),
      mixed(['hang', 'after']),
      defineHook(
        'onError',
        ({ signal }) => void finished.push(`onError ${signal.aborted ? 'born aborted' : 'alive'}`),
        { name: 'e' },
      ),
      defineHook('onFinish', ({ outcome }) => void finished.push(`onFinish ${outcome.status}`), { name: 'f' }),
    ])
    const done = run.run()
    await until(() => run.journal.includes('backups mixed hang'))
    const down = run.engine.shutdown(25_000)
    await until(() => finished.length === 2)
    const { outcome } = await done
    await down
    expect(outcome).toMatchObject({ status: 'aborted', error: { code: 'RUN_ABORTED' } })
    expect(outcome.targets.map(({ status }) => status)).toEqual(['aborted', 'aborted'])
    expect(world.held.size).toBe(0)
    expect(finished).toEqual(['onError alive', 'onFinish aborted'])
  })

  test('fault F2: a second order to stop hurries, and undos still run; what does not fit stays in the journal', async () => {
    const world = effects()
    const stuck = effects()
    const run = await testRun([
      defineHook(
        'beforeBackups',
        async ({ undo }) => {
          await undo.arm({ ...stuck.undo, name: 'stuck' }, 'app')
          await undo.arm(world.undo, 'app')
          world.held.add('app')
        },
        { name: 'q', undos: [world.undo, { ...stuck.undo, name: 'stuck', run: () => new Promise(() => {}) }] },
      ),
      defineHook('backups', () => new Promise(() => {}), { name: 'ignores-abort' }),
    ])
    const done = run.run()
    await until(() => run.journal.includes('backups ignores-abort ignores-abort'))
    const first = run.engine.shutdown(25_000)
    const second = run.engine.shutdown(25_000)
    await until(() => world.held.size === 0)
    await run.clock.advance('1m')
    const { outcome } = await done
    await Promise.all([first, second])
    expect(outcome.status).toBe('aborted')
    expect(run.engine.journal.pendingUndos()).toMatchObject([{ undo: 'stuck', state: 'armed' }])
  })

  test('fault F6: by its budget is a failure that says so', async () => {
    const run = await testRun([mixed(['hang'])], { plan: { budget: '10m' } })
    const done = run.run()
    await until(() => run.journal.includes('backups mixed hang'))
    await run.clock.advance('11m')
    const { outcome } = await done
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'RUN_BUDGET' } })
    expect(outcome.error?.hint).toMatch(/given back/)
  })

  test('a cancelled run is aborted', async () => {
    const run = await testRun([mixed(['hang'])])
    const cancel = new AbortController()
    const done = run.run({ signal: cancel.signal })
    await until(() => run.journal.includes('backups mixed hang'))
    cancel.abort(new Error('replaced by the next slot'))
    expect((await done).outcome).toMatchObject({
      status: 'aborted',
      error: { message: 'the run was aborted: replaced by the next slot' },
      targets: [{ status: 'aborted' }],
    })
  })
})

describe('a plan', () => {
  test('fault F13: that is running is not run a second time, and the skip is recorded', async () => {
    const run = await testRun([mixed(['hang'])])
    const cancel = new AbortController()
    const first = run.run({ signal: cancel.signal })
    await until(() => run.journal.includes('backups mixed hang'))
    const second = await run.run()
    expect(second.outcome).toMatchObject({ status: 'skipped', reason: 'busy', error: { code: 'PLAN_BUSY' } })
    cancel.abort(new Error('enough'))
    await first
    expect(run.engine.journal.runs().map(({ status }) => status)).toEqual(
      expect.arrayContaining(['skipped', 'aborted']),
    )
  })

  test('is tried again as often as it says, each attempt a run of its own', async () => {
    const run = await testRun([mixed(['fail'])], { plan: { retry: { attempts: 3, backoff: '1m' } } })
    expect((await advanceUntil(run.clock, run.run())).run).toMatchObject({ attempt: 3, trigger: 'retry' })
    expect(run.engine.journal.runs().map(({ attempt, status }) => [attempt, status])).toEqual([
      [3, 'failed'],
      [2, 'failed'],
      [1, 'failed'],
    ])
  })

  test('of maintenance looks for no targets', async () => {
    const run = await testRun([defineHook('maintain', ({ log }) => log.info('enforced'), { name: 'enforce' })])
    expect((await run.run()).outcome).toMatchObject({ status: 'succeeded', targets: [] })
    expect(run.journal).toEqual(['maintain enforce', 'run succeeded'])
  })

  test('reports everything that validation finds, at once', async () => {
    const complain = (name: string): HookModule =>
      defineHook(
        'validate',
        () => {
          throw new Error(`${name} is missing`)
        },
        { name },
      )
    const run = await testRun([complain('a'), complain('b'), mixed(['x'])])
    const { outcome } = await run.run()
    expect(outcome.status).toBe('failed')
    expect([outcome.error, ...outcome.warnings].map((each) => each?.message)).toEqual([
      expect.stringContaining('a is missing'),
      expect.stringContaining('b is missing'),
    ])
  })

  test('runs hooks by order, stable inside each group', async () => {
    const called: string[] = []
    const hook = (name: string, order?: 'pre' | 'post'): HookModule =>
      defineHook('beforeBackups', { order, handler: () => void called.push(name) }, { name })
    const run = await testRun([hook('last', 'post'), hook('b'), hook('first', 'pre'), hook('c'), mixed(['x'])])
    await run.run()
    expect(called).toEqual(['first', 'b', 'c', 'last'])
  })
})

test('a boot that fails calls the observers and says so', async () => {
  const called: string[] = []
  const run = await testRun([backup({ called, behaviours: { installDependencies: 'throws' } })])
  const { ok, results } = await run.engine.boot()
  expect(ok).toBe(false)
  expect(results).toMatchObject([
    { outcome: { status: 'failed', error: { hook: 'installDependencies' } }, run: { trigger: 'boot' } },
  ])
  expect(called).toEqual(['installDependencies', 'onError', 'onFinish'])
})

test('defer and workspace end with their scope, newest first, also after a failure', async () => {
  const order: string[] = []
  let workspace = ''
  const run = await testRun([
    defineHook(
      'maintain',
      async (ctx) => {
        ctx.defer('first', () => void order.push('first'))
        ctx.defer('second', () => {
          order.push('second')
          throw new Error('clean-up broke')
        })
        workspace = await ctx.workspace()
        expect((await import('node:fs')).statSync(workspace).mode & 0o777).toBe(0o700)
        throw new Error('on purpose')
      },
      { name: 'x' },
    ),
  ])
  expect((await run.run()).outcome).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining('on purpose') },
  })
  expect(order).toEqual(['second', 'first'])
  expect((await import('node:fs')).existsSync(workspace)).toBe(false)
})

test('a filesystem that we write to ourselves is never frozen', async () => {
  const run = await testRun([defineHook('maintain', (ctx) => ctx.assertFreezable(tmpdir()), { name: 'freeze' })])
  expect((await run.run()).outcome.error).toMatchObject({ code: 'FREEZE_SELF' })
})
