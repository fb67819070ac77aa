import { advanceUntil, testClock, type FakeKubernetes, type TestClock } from '@holdfast/testing'
import { defineHook, defineUndo, type HookModule, type Plan } from '@holdfast/sdk'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { withoutCluster } from '../../src/journal/owners.ts'
import type { ProcessRecord } from '../../src/journal/records.ts'
import type { MirroredUndo, UndoMirror } from '../../src/journal/undo-mirror.ts'
import { createUndoMirror } from '../../src/kubernetes/undo-mirror.ts'
import { readUndo, type ConfigMap } from '../../src/kubernetes/undo-record.ts'
import { backup, effects } from '../lifecycle/hooks.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { createRedactor } from '../../src/telemetry/redaction.ts'
import { putNewerUndo } from './holders.ts'
import { clusterOf, startContainer, until, type StartOptions, type Started } from './pods.ts'
import { serve } from './support.ts'

let server: FakeKubernetes
let world: ReturnType<typeof effects>
beforeEach(async () => {
  server = await serve({ namespace: 'shop' })
  world = effects()
})

const start = (use: Plan['use'], more: Partial<StartOptions> = {}): Promise<Started> =>
  startContainer({ server, use, ...more })

/** A hook module that takes something and holds it until it is told to stop, or for ever. */
function hold(options: { readonly meanwhile?: () => unknown; readonly undo?: typeof world.undo } = {}): HookModule {
  const { undo = world.undo, meanwhile = () => new Promise(() => {}) } = options
  return defineHook(
    'maintain',
    async (ctx) => {
      await ctx.vars.set('lock', 'token')
      await ctx.undo.arm(undo, 'app')
      world.held.add('app')
      await meanwhile()
    },
    { name: 'quiesce', undos: [undo] },
  )
}

/** The same plan with nothing to do, as the next process has it. */
const idle = (undo: typeof world.undo = world.undo): HookModule =>
  defineHook('maintain', () => {}, { name: 'quiesce', undos: [undo] })

const mirrored = (): readonly ConfigMap[] =>
  server.objects.list('configmaps', 'shop').filter(({ metadata }) => metadata.labels?.['holdfast.dev/undo'])
const claims = (): readonly string[] =>
  server.objects
    .list('configmaps', 'shop')
    .filter(({ metadata }) => metadata.labels?.['holdfast.dev/undo-claim'])
    .map(({ metadata }) => metadata.name)

/** A container that took something and is gone now, with its state. */
async function heldAndGone(more: Partial<StartOptions> = {}): Promise<{ readonly uid: string; readonly run: string }> {
  const first = await start([hold()], more)
  void first.engine.run('shop')
  await until(() => world.held.has('app'))
  const [run] = first.engine.journal.runs()
  return { uid: first.engine.services.process.pod ?? '', run: run?.id ?? '' }
}

describe('arming', () => {
  test('is written to the cluster before the effect, and gone once it is given back', async () => {
    let before: readonly ConfigMap[] = []
    const look = hold({ meanwhile: () => (before = mirrored()) })
    const { engine, metrics } = await start([look])
    expect((await engine.run('shop')).outcome.status).toBe('succeeded')
    expect(world.order).toEqual(['app'])
    expect(before).toHaveLength(1)
    expect(before[0]?.metadata).toMatchObject({
      name: expect.stringMatching(/^holdfast-undo-[0-9a-f-]{36}$/) as string,
      labels: {
        'app.kubernetes.io/managed-by': 'holdfast',
        'holdfast.dev/undo': 'true',
        'holdfast.dev/instance': 'default',
      },
    })
    expect(readUndo(before[0]!)).toMatchObject({
      undo: { plan: 'shop', participant: 'quiesce', undo: 'release', input: '"app"' },
      run: { plan: 'shop', trigger: 'manual' },
      vars: { lock: 'token\n' },
      owner: { podName: 'web-0', namespace: 'shop', container: 'holdfast', pod: engine.services.process.pod },
    })
    expect(mirrored()).toEqual([])
    expect(await metrics.text()).toMatch(/^holdfast_state_durable 1$/m)
  })

  test('without the right it works as without a cluster, and says once which rule is missing', async () => {
    server.authorize.deny({ verb: 'delete', resource: 'configmaps' })
    const { engine, log } = await start([hold({ meanwhile: () => {} })])
    await engine.recover()
    await engine.run('shop')
    await engine.run('shop')
    expect(world.order).toEqual(['app', 'app'])
    const said = log.filter((line) => line.includes('armed undos are kept in the state directory only'))
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('resources: [\\"configmaps\\"], verbs: [\\"delete\\"]')
    expect(server.requests.filter(({ method, resource }) => method === 'POST' && resource === 'configmaps')).toEqual([])
  })

  test('undoMirror: off asks and writes nothing', async () => {
    const { engine } = await start([hold({ meanwhile: () => {} })], { config: { undoMirror: 'off' } })
    await engine.recover()
    await engine.run('shop')
    expect(server.requests.filter(({ resource }) => resource !== 'pods')).toEqual([])
  })

  test.each([
    ['403, because somebody took the right away', { status: 403 }],
    ['500 for ever', { status: 500 }],
    ['nothing: the API server is gone', 'reset'],
  ] as const)('a write that is answered with %s refuses the effect, and nothing stays pending', async (_, fault) => {
    const clock = testClock()
    const { engine } = await start([hold()], { clock })
    await engine.recover()
    server.misbehave({ path: /configmaps/ }, fault)
    const { outcome } = await advanceUntil(clock, engine.run('shop'), '100ms')
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'UNDO_NOT_ARMED' } })
    expect(world.held.size).toBe(0)
    expect(world.order).toEqual([])
    expect(engine.journal.pendingUndos()).toEqual([])
  })

  test('an answer that was lost does not refuse it: the second try finds its own', async () => {
    const clock = testClock()
    const { engine } = await start([hold({ meanwhile: () => {} })], { clock })
    await engine.recover()
    server.misbehave({ method: 'POST', path: /configmaps$/, times: 1 }, 'lost-answer')
    const { outcome } = await advanceUntil(clock, engine.run('shop'), '5ms')
    expect(outcome.status).toBe('succeeded')
    expect(world.order).toEqual(['app'])
    expect(mirrored()).toEqual([])
  })

  test('fault F54: a secret never gets into a ConfigMap; the effect is refused, and the message does not have it', async () => {
    const canary = 'canary-8e1f-secret'
    const leaks = defineHook(
      'maintain',
      async ({ undo, secrets }) => {
        const token = await secrets.open({ env: 'TOKEN' })
        await undo.arm(world.undo, `https://app/?token=${token.reveal()}`)
        world.held.add('app')
      },
      { name: 'quiesce', undos: [world.undo] },
    )
    const { engine, log } = await start([leaks], { env: { TOKEN: canary } })
    const { outcome } = await engine.run('shop')
    expect(outcome.error).toMatchObject({
      code: 'UNDO_NOT_ARMED',
      message: expect.stringContaining('secret into a ConfigMap') as string,
    })
    expect(world.held.size).toBe(0)
    expect(JSON.stringify([server.requests, outcome.error, log])).not.toContain(canary)
  })

  test('fault F54: nor does one with quotes and line breaks, which looks different in JSON', async () => {
    const secret = 'can"ary\n-8e1f\\secret'
    const leaks = defineHook(
      'maintain',
      async ({ undo, secrets }) => {
        const token = await secrets.open({ env: 'TOKEN' })
        await undo.arm(world.undo, `token ${token.reveal()}`)
        world.held.add('app')
      },
      { name: 'quiesce', undos: [world.undo] },
    )
    const { engine } = await start([leaks], { env: { TOKEN: secret } })
    expect((await engine.run('shop')).outcome.error).toMatchObject({ code: 'UNDO_NOT_ARMED' })
    expect(world.held.size).toBe(0)
    expect(mirrored()).toEqual([])
  })

  test('what is larger than a ConfigMap may be is refused, and the message says what is so large', async () => {
    const large = defineHook(
      'maintain',
      async ({ undo, vars }) => {
        await vars.set('list', 'x'.repeat(1_100_000))
        await undo.arm(world.undo, 'app')
        world.held.add('app')
      },
      { name: 'quiesce', undos: [world.undo] },
    )
    const { engine } = await start([large])
    expect((await engine.run('shop')).outcome.error).toMatchObject({
      code: 'UNDO_NOT_ARMED',
      message: expect.stringMatching(/1 MiB is what a ConfigMap takes; most of it is the variables/) as string,
    })
    expect(world.held.size).toBe(0)
  })
})

describe('a new container without the state of the last one', () => {
  test('gives back what that one took, and ends its run as aborted, with its variables and observers', async () => {
    const { uid, run } = await heldAndGone()
    const seen: unknown[] = []
    const reading = defineUndo({
      ...world.undo,
      async run(what: string, ctx) {
        seen.push(await ctx.vars.get('lock'), ctx.recovered, ctx.run.id)
        world.held.delete(what)
      },
    })
    const observer = defineHook('onError', ({ outcome, run: { id } }) => seen.push(outcome.status, id), {
      name: 'observer',
    })
    const second = await start([idle(reading), observer], { uid })
    const { undos, interrupted } = await second.engine.recover()
    expect(undos).toMatchObject([{ result: 'done' }])
    expect(interrupted).toMatchObject([{ id: run, status: 'aborted' }])
    expect(world.held.size).toBe(0)
    await second.engine.finishRecovery()
    expect(seen).toEqual(['token', true, run, 'aborted', run])
    expect(second.engine.journal.runs()).toMatchObject([{ id: run, status: 'aborted', error: { code: 'RUN_ABORTED' } }])
    expect(mirrored()).toEqual([])
    expect(await second.metrics.text()).toMatch(/holdfast_undos_recovered_total\{kind="release"\} 1/)
    // Nothing of it is left when it is over.
    await second.engine.recover()
    expect(world.order).toEqual([])
  })

  test('leaves alone what another container of the pod holds', async () => {
    const { uid } = await heldAndGone({ container: 'other' })
    const second = await start([idle()], { uid, container: 'holdfast' })
    expect((await second.engine.recover()).undos).toEqual([])
    expect(await second.engine.recoverOrphans()).toMatchObject({ undos: [] })
    expect(world.held.has('app')).toBe(true)
    expect(mirrored()).toHaveLength(1)
  })

  test('leaves alone what a process of this very container holds with another state directory', async () => {
    const { uid } = await heldAndGone({ process: { containerStart: 'the same' } })
    const second = await start([idle()], { uid, process: { containerStart: 'the same' } })
    expect((await second.engine.recover()).undos).toEqual([])
    expect(world.held.has('app')).toBe(true)
  })

  test('whose name nobody knows can not tell: nothing is done, and the critical metric is raised', async () => {
    const { uid } = await heldAndGone({ process: { container: undefined } })
    const second = await start([idle()], { uid, process: { container: undefined } })
    expect((await second.engine.recover()).undos).toMatchObject([{ result: 'unknown' }])
    expect(world.held.has('app')).toBe(true)
    expect(second.log.join('')).toContain('nothing was done')
    expect(await second.metrics.text()).toMatch(/holdfast_undos_pending\{kind="release"\} 1/)
    // A person who knows better can say so.
    const [undo] = await second.engine.services.undoMirror!.list()
    expect(await second.engine.runUndos({ only: [undo!.undo.id], force: true })).toMatchObject([{ result: 'done' }])
    expect(world.held.size).toBe(0)
  })
})

test('a process that used this state directory has ended when its lock is free, also once it is forgotten', async () => {
  const first = await start([idle()])
  const beside = await start([idle()], { stateDirectory: first.stateDirectory })
  const { id } = first.engine.services.process
  await beside.engine.recover()
  expect(beside.engine.hasEnded(id)).toBe(false)
  first.end()
  expect(beside.engine.hasEnded(id)).toBe(true)
  await beside.engine.finishRecovery()
  expect(beside.engine.journal.process(id)).toBeUndefined()
  expect([beside.engine.hasEnded(id), beside.engine.hasEnded('somebody')]).toEqual([true, false])
})

describe('another pod', () => {
  test('touches nothing while the owner’s pod lives, and gives back once it is gone', async () => {
    const { run } = await heldAndGone({ pod: 'web-a' })
    const other = await start([idle()], { pod: 'web-b' })
    expect((await other.engine.recover()).undos).toEqual([])
    await other.engine.recoverOrphans()
    expect(world.held.has('app')).toBe(true)
    server.objects.remove('pods', 'shop', 'web-a')
    await other.engine.recoverOrphans()
    expect(world.held.size).toBe(0)
    expect(other.engine.journal.runs()).toMatchObject([{ id: run, status: 'aborted' }])
    expect(mirrored()).toEqual([])
  })

  test.each([
    [
      'has ended',
      (uid: string) => server.addPod({ name: 'web-a', uid, phase: 'Failed', containers: [{ name: 'holdfast' }] }),
    ],
    [
      'has a successor of the same name',
      () => {
        server.objects.remove('pods', 'shop', 'web-a')
        server.addPod({ name: 'web-a', containers: [{ name: 'holdfast' }] })
      },
    ],
  ])('gives back when the owner’s pod %s', async (_, become) => {
    const { uid } = await heldAndGone({ pod: 'web-a' })
    become(uid)
    const other = await start([idle()], { pod: 'web-b' })
    expect((await other.engine.recover()).undos).toMatchObject([{ result: 'done' }])
    expect(world.held.size).toBe(0)
  })

  test('that may not look at pods does nothing, and says why', async () => {
    await heldAndGone({ pod: 'web-a' })
    server.authorize.deny({ verb: 'get', resource: 'pods' })
    const other = await start([idle()], { pod: 'web-b' })
    expect((await other.engine.recover()).undos).toMatchObject([{ result: 'unknown' }])
    expect(world.held.has('app')).toBe(true)
    expect(other.log.join('')).toContain('does not allow to get pods')
    expect(await other.metrics.text()).toMatch(/holdfast_undos_pending\{kind="release"\} 1/)
  })

  test('does not believe the 404 of a proxy: the owner’s pod may live', async () => {
    await heldAndGone({ pod: 'web-a' })
    server.misbehave({ path: /pods\/web-a/ }, { status: 404, message: '404 page not found' })
    const other = await start([idle()], { pod: 'web-b' })
    expect((await other.engine.recover()).undos).toMatchObject([{ result: 'unknown' }])
    expect(world.held.has('app')).toBe(true)
  })

  test('of another application does not touch it, though everything has the same names', async () => {
    await heldAndGone({ pod: 'web-a' })
    server.objects.remove('pods', 'shop', 'web-a')
    const other = await start([idle()], { pod: 'database-a', deployment: 'database' })
    expect((await other.engine.recover()).undos).toEqual([])
    expect(world.held.has('app')).toBe(true)
    expect(await other.metrics.text()).not.toMatch(/holdfast_undos_pending\{kind="release"\} 1/)
    const successor = await start([idle()], { pod: 'web-b' })
    expect((await successor.engine.recover()).undos).toMatchObject([{ result: 'done' }])
  })

  test('that leads takes over from the leader before, even if that one lives; what it arms later is its own again', async () => {
    const first = await start([hold()], { pod: 'web-a' })
    void first.engine.run('shop')
    await until(() => world.held.has('app'))
    const { id } = first.engine.services.process
    const next = await start([idle()], { pod: 'web-b' })
    let leads = false
    const take = () => next.engine.takeOver({ processes: [id], runs: [], isLeading: () => leads })
    expect((await take()).undos).toEqual([])
    leads = true
    expect((await take()).undos).toMatchObject([{ result: 'done' }])
    expect(world.held.size).toBe(0)
    // It has found out meanwhile, and leads again.
    const again = defineHook(
      'maintain',
      ({ undo }) => undo.arm(world.undo, 'again').then(() => new Promise(() => {})),
      {
        name: 'quiesce',
        undos: [world.undo],
      },
    )
    first.end()
    const same = await start([again], { pod: 'web-a', process: { id } })
    void same.engine.run('shop')
    await until(() => mirrored().length === 1)
    expect((await next.engine.recoverOrphans()).undos).toEqual([])
    expect(mirrored()).toHaveLength(1)
  })

  test('that leads asks again when the cluster can not be looked at just then', async () => {
    const first = await start([hold()], { pod: 'web-a' })
    void first.engine.run('shop')
    await until(() => world.held.has('app'))
    const clock = testClock()
    const next = await start([idle()], { pod: 'web-b', clock })
    await advanceUntil(clock, next.engine.recover(), '2ms')
    server.misbehave({ method: 'GET', path: /configmaps$/, times: 1 }, { status: 400 })
    const processes = [first.engine.services.process.id]
    const recovering = next.engine.takeOver({ processes, runs: [], isLeading: () => true })
    expect((await advanceUntil(clock, recovering, '2ms')).undos).toMatchObject([{ result: 'done' }])
  })

  test('of another instance does not look at it', async () => {
    await heldAndGone({ pod: 'web-a', config: { instance: 'one' } })
    server.objects.remove('pods', 'shop', 'web-a')
    const other = await start([idle()], { pod: 'web-b', config: { instance: 'two' } })
    expect((await other.engine.recover()).undos).toEqual([])
    expect(world.held.has('app')).toBe(true)
  })

  test('two at once: one of them gives back, once', async () => {
    await heldAndGone({ pod: 'web-a' })
    server.objects.remove('pods', 'shop', 'web-a')
    const pods = await Promise.all(['web-b', 'web-c', 'web-d'].map((pod) => start([idle()], { pod })))
    const recovered = await Promise.all(pods.map(({ engine }) => engine.recover()))
    expect(recovered.flatMap(({ undos }) => undos.filter(({ result }) => result === 'done'))).toHaveLength(1)
    expect(world.order).toEqual(['app'])
    expect(mirrored()).toEqual([])
    for (const { engine } of pods) expect(engine.journal.pendingUndos()).toEqual([])
  })

  test('that dies while it gives back is followed by the next', async () => {
    await heldAndGone({ pod: 'web-a' })
    server.objects.remove('pods', 'shop', 'web-a')
    const hanging = defineUndo({ ...world.undo, run: () => new Promise(() => {}) })
    const dying = await start([idle(hanging)], { pod: 'web-b' })
    // What it still tries when the test is over and its journal closed is nobody's.
    dying.engine.recover().catch(() => {})
    await until(() => dying.engine.journal.pendingUndos()[0]?.state === 'firing')
    const third = await start([idle()], { pod: 'web-c' })
    expect((await third.engine.recover()).undos).toEqual([])
    expect(world.held.has('app')).toBe(true)
    server.objects.remove('pods', 'shop', 'web-b')
    expect((await third.engine.recoverOrphans()).undos).toMatchObject([{ result: 'done' }])
    expect(world.held.size).toBe(0)
  })

  test('that can not give back lets others try, and hears of their success', async () => {
    await heldAndGone({ pod: 'web-a' })
    server.objects.remove('pods', 'shop', 'web-a')
    const broken = defineUndo({
      ...world.undo,
      deadline: '1s',
      run: () => Promise.reject(new Error('not on this node')),
    })
    const clock = testClock()
    const unable = await start([idle(broken)], { pod: 'web-b', clock })
    const recovering = unable.engine.recover()
    expect((await advanceUntil(clock, recovering, '2ms')).undos).toMatchObject([{ result: 'failed' }])
    expect(claims()).toEqual([])
    const able = await start([idle()], { pod: 'web-c' })
    expect((await able.engine.recover()).undos).toMatchObject([{ result: 'done' }])
    expect(unable.engine.journal.pendingUndos()).toHaveLength(1)
    await advanceUntil(clock, unable.engine.recoverOrphans(), '2ms')
    expect(unable.engine.journal.pendingUndos()).toEqual([])
    expect(await unable.metrics.text()).toMatch(/holdfast_undos_pending\{kind="release"\} 0/)
  })
})

describe('an owner that was taken for dead', () => {
  /** Another pod takes over what this one holds, because its pod looked gone. */
  async function takenOver(then: (release: { fire(): Promise<void>; disarm(): Promise<void> }) => Promise<void>) {
    const goOn = Promise.withResolvers<void>()
    const hook = defineHook(
      'maintain',
      async ({ undo }) => {
        const armed = await undo.arm(world.undo, 'app')
        world.held.add('app')
        await goOn.promise
        await then(armed)
      },
      { name: 'quiesce', undos: [world.undo] },
    )
    const owner = await start([hook], { pod: 'web-a' })
    const running = owner.engine.run('shop')
    await until(() => world.held.has('app'))
    const pod = server.objects.get('pods', 'shop', 'web-a')!
    server.objects.remove('pods', 'shop', 'web-a')
    const other = await start([idle()], { pod: 'web-b' })
    expect((await other.engine.recover()).undos).toMatchObject([{ result: 'done' }])
    server.objects.put(pod)
    // What the new one holds by now is not the old one's to give back.
    world.held.add('app')
    goOn.resolve()
    return { ...(await running), owner }
  }

  test.each(['fire', 'disarm'] as const)('hears of it when it would %s, and its run fails', async (how) => {
    const { outcome, owner } = await takenOver((armed) => armed[how]())
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'UNDO_TAKEN' } })
    expect(world.order).toEqual(['app'])
    expect(world.held.has('app')).toBe(true)
    expect(owner.engine.journal.pendingUndos()).toEqual([])
  })
})

describe('fault F29: the API server is down', () => {
  test('at thaw: what we took ourselves is given back at once', async () => {
    const clock = testClock()
    const down = hold({ meanwhile: () => server.down() })
    const { engine, log } = await start([down], { clock })
    await engine.recover()
    const running = engine.run('shop')
    // Time stands still until then: nothing was waited for.
    await until(() => world.order.length === 1)
    expect(world.held.size).toBe(0)
    const { outcome } = await advanceUntil(clock, running, '100ms')
    expect(outcome.status).toBe('succeeded')
    expect(log.join('')).toContain('could not be removed')
    await server.up()
    expect(mirrored()).toHaveLength(1)
    // It is cleared away later, and not run again.
    await advanceUntil(clock, engine.recoverOrphans(), '2ms')
    expect(mirrored()).toEqual([])
    expect(world.order).toEqual(['app'])
  })

  test('half-open at thaw: it is waited for one second', async () => {
    const clock = testClock()
    const silent = hold({ meanwhile: () => void server.misbehave({ path: /configmaps/ }, 'half-open') })
    const { engine } = await start([silent], { clock })
    await engine.recover()
    const running = engine.run('shop')
    await until(() => server.requests.some(({ name }) => name.startsWith('holdfast-claim-')))
    expect(world.order).toEqual([])
    await clock.advance('1s')
    await until(() => world.order.length === 1)
    await advanceUntil(clock, running, '100ms')
  })

  test('at start: our own undos run all the same, those of others as soon as it is back', async () => {
    const { uid } = await heldAndGone({ pod: 'web-a' })
    const armed = Promise.withResolvers<void>()
    const meanwhile = (): unknown => (armed.resolve(), new Promise(() => {}))
    const own = await start([hold({ meanwhile })], { pod: 'web-b' })
    void own.engine.run('shop')
    await armed.promise
    const { stateDirectory } = own
    const { boot, host } = own.engine.services.process
    own.end()
    server.objects.remove('pods', 'shop', 'web-a')
    await server.down()
    const clock = testClock()
    const again = await start([idle()], { pod: 'web-b', stateDirectory, clock, process: { boot, host } })
    const { undos, isComplete } = await advanceUntil(clock, again.engine.recover(), '50ms')
    expect(undos).toMatchObject([{ result: 'done' }])
    expect(isComplete).toBe(false)
    expect(world.order).toEqual(['app'])
    expect(await advanceUntil(clock, again.engine.recoverOrphans(), '50ms')).toMatchObject({ isComplete: false })
    expect(again.log.join('')).toContain('is not known yet')
    await server.up()
    expect(await advanceUntil(clock, again.engine.recoverOrphans(), '2ms')).toMatchObject({ isComplete: true })
    expect(world.order).toEqual(['app', 'app'])
    expect(mirrored()).toEqual([])
    expect(uid).not.toBe('')
  })

  test('at disarm: the undo stays armed and runs, for the next pod would run it anyway', async () => {
    const clock = testClock()
    const hook = defineHook(
      'maintain',
      async ({ undo }) => {
        const armed = await undo.arm(world.undo, 'app')
        await server.down()
        await armed.disarm()
      },
      { name: 'quiesce', undos: [world.undo] },
    )
    const { engine } = await start([hook], { clock })
    await engine.recover()
    const { outcome } = await advanceUntil(clock, engine.run('shop'), '100ms')
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'KUBERNETES_UNAVAILABLE' } })
    expect(world.order).toEqual(['app'])
  })
})

describe('while it is not known whether the cluster may be used', () => {
  const armed: MirroredUndo = {
    undo: {
      id: 'u',
      plan: 'shop',
      instance: 'default',
      participant: 'p',
      undo: 'thaw',
      input: '{}',
      armedAt: new Date(),
    },
    run: { id: 'r', plan: 'shop', attempt: 1, scheduledFor: new Date(), trigger: 'manual', dryRun: false },
    runStartedAt: new Date(),
    vars: {},
    owner: {} as ProcessRecord,
  }
  const mirror = (clock: TestClock, isStateDurable: boolean): UndoMirror => {
    const { kubernetes, close } = clusterOf(server, {}, clock)
    onTestFinished(close)
    return createUndoMirror({
      kubernetes,
      clock,
      log: createLogger({
        level: 'silent',
        format: 'json',
        redactor: createRedactor(),
        destination: { write: () => {} },
      }),
      owners: withoutCluster(),
      instance: () => 'default',
      self: () => ({ id: 'me' }) as ProcessRecord,
      hasEnded: () => false,
      identify: async () => true,
      keeps: true,
      isStateDurable,
      exposes: () => false,
      onAccess: () => {},
    })
  }

  test('nothing is armed if the state dies with the container, and all is once it is known', async () => {
    await server.down()
    const clock = testClock()
    const made = mirror(clock, false)
    const failure = await advanceUntil(clock, failureFrom(made.put(armed)), '100ms')
    expect(failure).toContain('the state directory dies with the container')
    await server.up()
    // Not asked with every undo.
    expect(await failureFrom(made.put(armed))).toContain('dies with the container')
    await clock.advance('1m')
    await advanceUntil(clock, made.put(armed), '2ms')
    expect(mirrored()).toHaveLength(1)
  })

  test('the journal will do if the state outlives the container', async () => {
    await server.down()
    const clock = testClock()
    await advanceUntil(clock, mirror(clock, true).put(armed), '100ms')
  })
})

async function failureFrom(work: Promise<void>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => String(error),
  )
}

test('an undo in the cluster of a newer version is kept, and said', async () => {
  putNewerUndo(server)
  const { engine, log } = await start([idle()])
  await engine.recover()
  expect(log.join('')).toContain('has schema 2')
  expect(mirrored()).toHaveLength(1)
})

describe('an undo in the cluster that somebody has damaged is kept, said, and keeps no other from being run:', () => {
  const whole = (): Record<string, Record<string, unknown>> =>
    JSON.parse(mirrored()[0]?.data?.['undo.json'] ?? '') as Record<string, Record<string, unknown>>

  test.each<[string, Record<string, Record<string, unknown>>]>([
    ['no time at which it was armed', { undo: { armedAt: undefined } }],
    ['a time that is none', { undo: { armedAt: 'yesterday' } }],
    ['an input that is no JSON', { undo: { input: '{' } }],
    ['no plan', { undo: { plan: undefined } }],
    ['no name', { undo: { undo: 7 } }],
    ['the id of another', { undo: { id: 'another' } }],
    ['no id of a run', { run: { id: undefined } }],
    ['no id of a process', { owner: { id: undefined } }],
  ])('%s', async (_, damage) => {
    await heldAndGone({ pod: 'web-a' })
    server.objects.remove('pods', 'shop', 'web-a')
    const [object] = mirrored()
    const read = { ...whole(), undo: { ...whole()['undo'], id: 'x' } } as Record<string, Record<string, unknown>>
    for (const [part, changed] of Object.entries(damage)) read[part] = { ...read[part], ...changed }
    server.objects.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...object?.metadata, name: 'holdfast-undo-x', uid: undefined, resourceVersion: undefined },
      data: { 'undo.json': JSON.stringify(read) },
    } as never)
    const { engine, log } = await start([idle()])
    await engine.recover()
    expect(world.held).toEqual(new Set())
    expect(mirrored().map(({ metadata }) => metadata.name)).toEqual(['holdfast-undo-x'])
    expect(log.join('')).toContain("an armed undo in the cluster can't be read, and is kept")
  })
})

test('a claim is kept for an hour, so that its owner can hear of it, and then cleared away', async () => {
  await heldAndGone({ pod: 'web-a' })
  server.objects.remove('pods', 'shop', 'web-a')
  const clock = testClock({ now: new Date() })
  const other = await start([idle()], { pod: 'web-b', clock })
  await advanceUntil(clock, other.engine.recover(), '2ms')
  expect(claims()).toHaveLength(1)
  expect(server.objects.get('configmaps', 'shop', claims()[0]!)?.metadata['ownerReferences']).toMatchObject([
    { kind: 'Pod', name: 'web-b' },
  ])
  await clock.advance('61m')
  await advanceUntil(clock, other.engine.recoverOrphans(), '2ms')
  expect(claims()).toEqual([])
})

test('a claim of an earlier process of the same state directory blocks nothing, though its pod can not be asked for', async () => {
  server.authorize.deny({ verb: 'get', resource: 'pods' })
  const armed = Promise.withResolvers<void>()
  const meanwhile = (): unknown => (armed.resolve(), new Promise(() => {}))
  const first = await start([hold({ meanwhile })], { pod: 'web-0' })
  void first.engine.run('shop')
  await armed.promise
  const { stateDirectory } = first
  first.end()
  // Killed while it gave back; the pod was replaced each time, and its volume stays.
  const trying = Promise.withResolvers<void>()
  const hanging = defineUndo({ ...world.undo, run: () => (trying.resolve(), new Promise<void>(() => {})) })
  const second = await start([idle(hanging)], { stateDirectory, pod: 'web-0-second' })
  // What it still tries when its journal is closed is nobody's.
  second.engine.recover().catch(() => {})
  await trying.promise
  second.end()
  const third = await start([idle()], { stateDirectory, pod: 'web-0-third' })
  expect((await third.engine.recover()).undos).toMatchObject([{ result: 'done' }])
  expect(world.held.size).toBe(0)
})

test('a person who gives back what is in the journal leaves nothing in the cluster either', async () => {
  const armed = Promise.withResolvers<void>()
  const meanwhile = (): unknown => (armed.resolve(), new Promise(() => {}))
  const first = await start([hold({ meanwhile })])
  void first.engine.run('shop')
  await armed.promise
  const { stateDirectory } = first
  const { pod } = first.engine.services.process
  first.end()
  const { engine } = await start([idle()], { stateDirectory, uid: pod ?? '' })
  const only = engine.journal.pendingUndos().map(({ id }) => id)
  expect(await engine.runUndos({ only })).toMatchObject([{ result: 'done' }])
  expect(mirrored()).toEqual([])
})

test('from outside of the cluster nothing is written into it, whatever is recovered there', async () => {
  const outside = { env: { KUBERNETES_SERVICE_HOST: '' } }
  const armed = Promise.withResolvers<void>()
  const meanwhile = (): unknown => (armed.resolve(), new Promise(() => {}))
  const first = await start([hold({ meanwhile })], outside)
  void first.engine.run('shop')
  await armed.promise
  const { stateDirectory } = first
  first.end()
  const { engine } = await start([idle()], { ...outside, stateDirectory })
  expect((await engine.recover()).undos).toMatchObject([{ result: 'done' }])
  expect(server.objects.list('configmaps', 'shop')).toEqual([])
})

test('a backup with undos leaves nothing in the cluster', async () => {
  const run = await start([hold({ meanwhile: () => {} }), backup({})])
  expect((await run.engine.run('shop')).outcome.status).toBe('succeeded')
  expect(server.objects.list('configmaps', 'shop')).toEqual([])
})
