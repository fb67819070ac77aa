// What people are told, and when.
import { advanceUntil, memoryStorage } from '@holdfast/testing'
import {
  defineHook,
  defineNotifier,
  defineUndo,
  HoldfastError,
  ping,
  slack,
  webhook,
  type Notification,
} from '@holdfast/sdk'
import { expect, test, vi } from 'vitest'
import * as z from 'zod'
import { testRun } from '../lifecycle/test-run.ts'
import { orders, service } from './support.ts'

const broken = new HoldfastError({
  code: 'DISK_FULL',
  message: 'the disk of hunter2-canary is full',
  hint: 'Free some.',
})

/** A notifier of somebody else's, and what it was told. */
function recorder() {
  const told: Notification[] = []
  const make = defineNotifier({
    name: 'recorder',
    config: z.strictObject({}),
    send: (notification) => void told.push(notification),
  })
  return { told, make, kinds: () => told.map(({ kind }) => kind) }
}

const everything = ['start', 'success', 'failure', 'partial', 'recovery', 'stale', 'undo'] as const

test('a failure is told, then the recovery; successes only to whoever asks', async () => {
  const world = { failure: broken as Error | undefined }
  const { told, make, kinds } = recorder()
  const all = recorder()
  const run = await testRun([orders(world)], {
    config: { notify: [make({}), all.make({}, { name: 'all', on: everything })] },
  })
  await run.run()
  world.failure = undefined
  await run.run()
  await run.run()
  await run.engine.notifications.close()
  expect(kinds()).toEqual(['failure', 'recovery'])
  expect(all.kinds()).toEqual(['start', 'failure', 'start', 'recovery', 'start', 'success'])
  expect(told[0]).toMatchObject({
    plan: 'test',
    instance: 'default',
    code: 'DISK_FULL',
    hook: 'backups',
    plugin: 'orders',
    targets: [{ id: 'orders', status: 'failed', code: 'DISK_FULL' }],
    run: { status: 'failed', trigger: 'manual' },
    subject: 'plan "test" failed',
  })
  expect(told[1]).toMatchObject({ subject: 'plan "test" has recovered', since: run.clock.now() })
})

test('fault F55: nobody is told the text of an error who did not ask for it', async () => {
  const told = await service()
  const asked = await service()
  const notify = [
    webhook({ url: told.url }, { name: 'plain' }),
    slack({ url: { env: 'SLACK' } }),
    webhook({ url: asked.url }, { name: 'texts', errorTexts: true }),
  ]
  const chat = await service()
  const run = await testRun([orders({ failure: broken })], { config: { notify }, env: { SLACK: chat.url } })
  await run.run()
  await run.engine.notifications.close()
  for (const { body } of [...told.received, ...chat.received]) {
    expect(body).toContain('DISK_FULL')
    expect(body).toContain('orders')
    expect(body).not.toContain('canary')
    expect(body).not.toContain('Free some')
  }
  expect(told.received).toHaveLength(1)
  expect(chat.received).toHaveLength(1)
  expect(asked.json()[0]).toMatchObject({ error: { message: broken.message, hint: 'Free some.' } })
  expect(asked.json()[0]?.['text']).toContain(broken.message)
})

test('fault F54: a secret in an error is blanked in whatever is sent, and so is the address itself', async () => {
  const secret = 'canary+secret/4711'
  const hook = await service((response) => {
    // It says who called it.
    response.statusCode = 400
    response.end(`no such hook: ${hook.url}?key=${secret}`)
  })
  const leaky = defineHook('backups', async (ctx) => {
    const opened = (await ctx.secrets.open({ env: 'DB' })).reveal()
    throw new HoldfastError({
      code: 'LOGIN_REFUSED',
      message: `refused: ${opened}, ${encodeURIComponent(opened)}, ${Buffer.from(opened).toString('base64')}, postgres://u:${opened}@db`,
    })
  })
  const asked = { errorTexts: true }
  const { told, make } = recorder()
  const notify = [
    webhook({ url: { env: 'HOOK' }, body: (n) => ({ all: n.error?.message ?? '', more: secret }) }, asked),
    make({}, { ...asked, text: () => `by a template: ${secret}`, subject: '{error}' }),
  ]
  const env = { DB: secret, HOOK: `${hook.url}?key=${secret}` }
  const run = await testRun([leaky], { config: { notify }, env })
  const { run: ran } = await run.run()
  await run.engine.notifications.close()
  const history = JSON.stringify(run.engine.journal.runs({ id: ran.id }))
  const said = [JSON.stringify(told), run.log.join(''), history]
  expect(said.every((text) => text.includes('redacted'))).toBe(true)
  for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
    for (const text of [...said, hook.received[0]?.body]) expect(text).not.toContain(form)
  }
})

test('a run that is tried again is told of once, when nothing more is tried', async () => {
  const world = { failure: broken as Error | undefined }
  const { make, kinds } = recorder()
  const run = await testRun([orders(world)], {
    plan: { retry: { attempts: 3, backoff: '1m' } },
    config: { notify: [make({}, { on: everything })] },
  })
  const ended = run.run()
  await vi.waitFor(() => expect(run.clock.pending).toBeGreaterThan(0))
  world.failure = undefined
  await run.clock.advance('1m')
  await ended
  await run.engine.notifications.close()
  expect(kinds()).toEqual(['start', 'success'])
})

test('partial: which targets have no new backup', async () => {
  const { told, make } = recorder()
  const other = defineHook('backups', () => Promise.reject(broken), { name: 'invoices' })
  const run = await testRun([orders(), other], { config: { notify: [make({})] } })
  await run.run()
  await run.engine.notifications.close()
  expect(told[0]).toMatchObject({
    kind: 'partial',
    subject: 'plan "test" failed in part: 1 of 2 targets are backed up',
  })
  expect(told[0]?.text).toContain('Targets that failed: invoices (DISK_FULL)')
})

test('maintenance plans and drills are told of in their own words', async () => {
  const { told, make } = recorder()
  const notify = [make({})]
  const maintenance = await testRun([defineHook('maintain', () => Promise.reject(broken))], { config: { notify } })
  await maintenance.run()
  await maintenance.engine.notifications.close()
  expect(told[0]).toMatchObject({ kind: 'failure', maintenance: true })
  expect(told[0]?.text).toContain('Its work is not done.')

  const drills = [{ name: 'weekly', expect: () => false }]
  const drilled = await testRun([orders()], { plan: { notify: [] }, drills, config: { notify } })
  await drilled.run()
  await drilled.drill()
  await drilled.engine.notifications.close()
  expect(told).toHaveLength(2)
  expect(told[1]).toMatchObject({ kind: 'failure', drill: 'weekly', plan: 'test', subject: 'drill "weekly" failed' })
})

test('a plan has its own notifiers in place of those at the top, or none', async () => {
  const top = recorder()
  const own = recorder()
  const config = { notify: [top.make({})] }
  const first = await testRun([orders({ failure: broken })], { plan: { notify: [own.make({})] }, config })
  const second = await testRun([orders({ failure: broken })], { plan: { notify: [] }, config })
  for (const run of [first, second]) {
    await run.run()
    await run.engine.notifications.close()
  }
  expect([top.kinds(), own.kinds()]).toEqual([[], ['failure']])
})

test('what was told is known after a restart: the recovery is said by another process', async () => {
  const world = { failure: broken as Error | undefined }
  const { make, kinds } = recorder()
  const run = await testRun([orders(world)], { config: { notify: [make({})] } })
  await run.run()
  await run.engine.notifications.close()
  world.failure = undefined
  await run.restart()
  await run.run()
  await run.engine.notifications.close()
  expect(kinds()).toEqual(['failure', 'recovery'])
})

test('a run that lacks a copy only is a backup: what gets stale after it is said anew', async () => {
  const { make, kinds } = recorder()
  const copy = memoryStorage({ capacity: 0 })
  const run = await testRun([orders()], { config: { notify: [make({}, { on: everything })], copies: [copy] } })
  run.engine.notifications.stale({ plan: 'test', since: undefined })
  expect((await advanceUntil(run.clock, run.run())).outcome).toMatchObject({ status: 'partial', reason: 'copies' })
  run.engine.notifications.stale({ plan: 'test', since: run.clock.now() })
  await run.engine.notifications.close()
  expect(kinds()).toEqual(['stale', 'start', 'partial', 'stale'])
})

test('stale is said once, also after a restart, until something succeeds', async () => {
  const { told, make, kinds } = recorder()
  const run = await testRun([orders()], { config: { notify: [make({})] } })
  run.engine.notifications.stale({ plan: 'test', since: undefined })
  run.engine.notifications.stale({ plan: 'test', since: undefined })
  await run.engine.notifications.close()
  await run.restart()
  run.engine.notifications.stale({ plan: 'test', since: undefined })
  await run.run()
  await run.engine.notifications.close()
  expect(kinds()).toEqual(['stale', 'recovery'])
  expect(told[0]?.subject).toBe('plan "test" has never succeeded')
})

test('a dependency that can not be installed is said once, however often the process starts', async () => {
  const { make, kinds } = recorder()
  const world = { failure: broken as Error | undefined }
  const install = defineHook('installDependencies', () => (world.failure ? Promise.reject(broken) : undefined))
  const run = await testRun([install, orders()], { config: { notify: [make({}, { on: everything })] } })
  for (const failure of [broken, broken, undefined]) {
    world.failure = failure
    await run.restart()
    await run.engine.boot()
    await run.engine.notifications.close()
  }
  expect(kinds()).toEqual(['failure', 'recovery'])
})

test('a process that dies again and again while it starts is said once, too', async () => {
  const { told, make } = recorder()
  const run = await testRun([orders()], { config: { notify: [make({})] } })
  for (const id of ['b1', 'b2']) {
    const died = {
      id,
      plan: 'test',
      attempt: 1,
      scheduledFor: run.clock.now(),
      dryRun: false,
      trigger: 'boot',
    } as const
    run.engine.journal.beginRun(died, 'default', 'a process that is gone')
    await run.restart()
    await run.engine.recover()
    await run.engine.notifications.close()
  }
  expect(told.map(({ subject }) => subject)).toEqual(['installing the dependencies of plan "test" was aborted'])
})

test('a check is told that a run begins and how it ended, each plan at its own address', async () => {
  const check = await service()
  const world = { failure: broken as Error | undefined }
  const notify = [ping({ url: { env: 'PING' }, path: '{instance}-{name}' })]
  const run = await testRun([orders(world)], { config: { notify, instance: 'shop' }, env: { PING: `${check.url}/` } })
  await run.run()
  world.failure = undefined
  await run.run()
  await run.engine.notifications.close()
  expect(check.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /hook/shop-test/start',
    'POST /hook/shop-test/fail',
    'POST /hook/shop-test/start',
    'POST /hook/shop-test',
  ])
  expect(check.received[1]?.body).toContain('DISK_FULL')
})

test('a webhook gets the headers and the body that it asks for', async () => {
  const hook = await service()
  const notify = [
    webhook({
      url: hook.url,
      method: 'PUT',
      headers: { Authorization: { env: 'TOKEN' } },
      body: { summary: '{plan} {status}: {code}', source: { of: ['{{{instance}}}'] }, severity: 1 },
    }),
  ]
  const run = await testRun([orders({ failure: broken })], { config: { notify }, env: { TOKEN: 'Bearer abc123456' } })
  await run.run()
  await run.engine.notifications.close()
  expect(hook.received[0]).toMatchObject({ method: 'PUT', headers: { authorization: 'Bearer abc123456' } })
  expect(hook.json()).toEqual([{ summary: 'test failed: DISK_FULL', source: { of: ['{default}'] }, severity: 1 }])
})

test('in a channel nobody is called by what a name looks like', async () => {
  const chat = await service()
  const run = await testRun([orders({ failure: broken })], {
    config: { notify: [slack({ url: { env: 'SLACK' } }, { subject: '<!channel> & {plan}' })] },
    env: { SLACK: chat.url },
  })
  await run.run()
  await run.engine.notifications.close()
  expect(chat.json()[0]?.['text']).toMatch(/^\*&lt;!channel&gt; &amp; test\*\n/)
})

test('fault F15: a run that died with its process is told of by the next one, and so is its recovery', async () => {
  const { told, make, kinds } = recorder()
  const run = await testRun([orders()], { config: { notify: [make({})] } })
  const { engine, clock } = run
  const died = { id: 'r1', plan: 'test', attempt: 1, scheduledFor: clock.now(), dryRun: false } as const
  engine.journal.beginRun({ ...died, trigger: 'schedule' }, 'default', 'a process that is gone')
  // Somebody waited for this one.
  engine.journal.beginRun({ ...died, id: 'r2', trigger: 'restore' }, 'default', 'a process that is gone')
  await run.restart()
  await run.engine.recover()
  await run.engine.finishRecovery()
  await run.run()
  await run.engine.notifications.close()
  expect(kinds()).toEqual(['failure', 'recovery'])
  expect(told[0]).toMatchObject({
    run: { id: 'r1', status: 'aborted' },
    code: 'RUN_ABORTED',
    subject: 'plan "test" was aborted',
  })
})

test('what can not be given back is said once, also by later processes, and when it is given back at last', async () => {
  const world = { thaws: false }
  const thaw = defineUndo({
    name: 'thaw',
    input: z.object({ volume: z.string() }),
    deadline: '1s',
    run: () => (world.thaws ? undefined : Promise.reject(new Error('it is stuck'))),
  })
  const freeze = defineHook('beforeBackups', ({ undo }) => undo.arm(thaw, { volume: 'data' }), { undos: [thaw] })
  const { told, make } = recorder()
  const run = await testRun([freeze, orders()], { config: { notify: [make({}, { on: ['undo', 'recovery'] })] } })
  await advanceUntil(run.clock, run.run(), '100ms')
  await run.engine.notifications.close()
  await run.restart()
  await run.engine.recover()
  await advanceUntil(run.clock, run.engine.finishRecovery(), '100ms')
  await run.engine.notifications.close()
  expect(told).toHaveLength(1)
  expect(told[0]).toMatchObject({ kind: 'undo', plan: 'test', undo: { name: 'thaw', plugin: 'beforeBackups' } })
  expect(told[0]?.subject).toBe('"thaw" of plan "test" is not given back')
  world.thaws = true
  await run.engine.runUndos({})
  await run.engine.notifications.close()
  expect(told[1]).toMatchObject({ kind: 'recovery', subject: '"thaw" of plan "test" is not pending any more' })
  expect(told).toHaveLength(2)
})

test('a leader tells of the runs of the one before it, but for those that it has told of itself', async () => {
  const { told, make } = recorder()
  const { engine, clock } = await testRun([orders()], { config: { notify: [make({})] } })
  const cut = (id: string, observersDue: boolean) => ({
    run: { id, plan: 'test', attempt: 1, scheduledFor: clock.now(), trigger: 'schedule', dryRun: false } as const,
    startedAt: clock.now(),
    process: 'another pod',
    observersDue,
  })
  await engine.takeOver({ processes: ['another pod'], runs: [cut('a', true), cut('b', false)], isLeading: () => true })
  await engine.finishRecovery()
  await engine.notifications.close()
  expect(told.map(({ kind, run }) => [kind, run?.id])).toEqual([['failure', 'a']])
})

test('a pod whose plan another one runs says nothing of it, not even that it begins', async () => {
  const check = await service()
  const notify = [ping({ url: check.url })]
  const storage = memoryStorage()
  const holding = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const hold = defineHook('backups', () => {
    begun.resolve()
    return holding.promise
  })
  const holds = await testRun([hold], { config: { storage } })
  const held = holds.run()
  await begun.promise
  const other = await testRun([orders()], { config: { storage, notify } })
  const { outcome } = await other.run()
  expect(outcome).toMatchObject({ status: 'skipped', reason: 'store-owned' })
  await other.engine.notifications.close()
  expect(check.received).toEqual([])
  holding.resolve()
  await held
})

test('a run by hand beside a daemon and the daemon know of each other what was told', async () => {
  const world = { failure: broken as Error | undefined }
  const { make, kinds } = recorder()
  const config = { notify: [make({})] }
  const first = await testRun([orders(world)], { config })
  const second = await testRun([orders(world)], { config, stateDirectory: first.stateDirectory })
  await first.run()
  world.failure = undefined
  await second.run()
  await first.run()
  for (const { engine } of [first, second]) await engine.notifications.close()
  expect(kinds()).toEqual(['failure', 'recovery'])
})
