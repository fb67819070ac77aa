import { createTestRun, testClock, type TestClock } from '@holdfast/testing'
import {
  HoldfastError,
  type Kubernetes,
  type ObjectRef,
  type Outcome,
  type Run,
  type Target,
  type TargetOutcome,
} from '@holdfast/sdk'
import { expect, onTestFinished, test } from 'vitest'
import { errors } from '../../src/errors.ts'
import {
  kubernetesEvents,
  type KubernetesEvents,
  type KubernetesEventsOptions,
} from '../../src/kubernetes/run-events.ts'
import { recordFailure } from '../../src/failure.ts'
import type { RunEvent } from '../../src/lifecycle/events.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { createRedactor } from '../../src/telemetry/redaction.ts'
import { backup } from '../lifecycle/hooks.ts'

type Posted = Parameters<Kubernetes['event']>[1] & { readonly about: ObjectRef }

const pod: ObjectRef = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'shop-0', uid: 'u-1' }

interface World {
  readonly events: KubernetesEvents
  readonly posted: readonly Posted[]
  /** `about reason: message`, a line each. */
  lines(): readonly string[]
  readonly clock: TestClock
  readonly log: readonly string[]
  counts(): Promise<Readonly<Record<string, number>>>
  /** Lets the background work go on. */
  settle(): Promise<void>
}

function world(
  options: Partial<KubernetesEventsOptions> & { readonly post?: (event: Posted) => Promise<void> } = {},
): World {
  const { post = async () => undefined, ...rest } = options
  const clock = testClock()
  const posted: Posted[] = []
  const log: string[] = []
  const metrics = createMetrics()
  const events = kubernetesEvents({
    kubernetes: {
      async event(about, event) {
        await post({ about, ...event })
        posted.push({ about, ...event })
      },
    },
    pod,
    clock,
    log: { debug: (message) => log.push(`debug ${message}`), warn: (message) => log.push(`warn ${message}`) },
    meter: metrics,
    redactor: createRedactor(),
    ...rest,
  })
  return {
    events,
    posted,
    clock,
    log,
    lines: () =>
      posted.map(({ about, type, reason, message }) => `${about.kind}/${about.name} ${type} ${reason}: ${message}`),
    settle: () => clock.advance(0),
    async counts() {
      const found = (await metrics.text()).matchAll(/^holdfast_kubernetes_events_total\{result="(\w+)"\} (\d+)$/gm)
      return Object.fromEntries([...found].map(([, result, count]) => [result, Number(count)]))
    },
  }
}

const run: Run = {
  id: 'r1',
  plan: 'shop',
  attempt: 1,
  scheduledFor: new Date(0),
  trigger: 'schedule',
  dryRun: false,
}
const broken = new HoldfastError({
  code: 'EXEC_FAILED',
  message: 'pg_dump exited with 1',
  hint: 'Nothing was stored. See its output.',
})

function target(id: string, hasObject = true): Target {
  const object = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'db', name: id }
  return { id, labels: {}, data: null, ...(hasObject && { object }) }
}

function outcomeOf(id: string, more: Partial<TargetOutcome> = {}): TargetOutcome {
  return { target: target(id), status: 'succeeded', verification: 'verified', points: [], ...more }
}

function ended(outcome: Partial<Outcome>, of: Run = run): RunEvent {
  const complete: Outcome = { status: 'succeeded', targets: [], warnings: [], ...outcome }
  return { type: 'run-ended', run: of, outcome: complete, status: complete.status, durationMs: 1000 }
}

function targetEnded(outcome: TargetOutcome): RunEvent {
  return { type: 'target-ended', run, outcome }
}

function failing(minute: number): RunEvent {
  return ended({ status: 'failed', error: broken }, { ...run, id: `r${minute}` })
}

test('a run is told about on our own pod, its targets on their objects', async () => {
  const { events, lines, settle, posted, counts } = world()
  events({ type: 'run-started', run, at: new Date(0) })
  const targets = [
    outcomeOf('orders'),
    outcomeOf('users', { status: 'failed', error: broken, verification: 'unverified' }),
  ]
  for (const each of targets) events(targetEnded(each))
  events(ended({ status: 'partial', error: broken, targets }))
  await settle()
  expect(lines()).toEqual([
    'Pod/shop-0 Normal BackupStarted: plan "shop" begins (schedule)',
    'PersistentVolumeClaim/orders Normal BackupSucceeded: "orders" was backed up by plan "shop"',
    'PersistentVolumeClaim/users Warning BackupFailed: "users" could not be backed up by plan "shop": EXEC_FAILED: pg_dump exited with 1. Nothing was stored. See its output.',
    'Pod/shop-0 Warning BackupPartiallyFailed: plan "shop" failed in part: 1 of 2 targets were backed up: EXEC_FAILED: pg_dump exited with 1. Nothing was stored. See its output.',
  ])
  expect(posted[0]).toMatchObject({ about: pod, labels: { 'holdfast.dev/plan': 'shop' } })
  expect(posted[1]?.about).toEqual(target('orders').object)
  expect(await counts()).toEqual({ posted: 4, failed: 0, dropped: 0 })
})

test.for([
  [{ status: 'succeeded' }, {}, 'Normal BackupSucceeded: plan "shop" succeeded'],
  [{ status: 'succeeded', reason: 'empty' }, {}, 'Normal BackupSucceeded: plan "shop" succeeded (empty)'],
  [{ status: 'failed', error: broken }, {}, 'Warning BackupFailed: plan "shop" failed: EXEC_FAILED: '],
  [{ status: 'skipped', reason: 'overlap' }, {}, 'Warning BackupSkipped: plan "shop" was skipped (overlap)'],
  [{ status: 'skipped', reason: 'paused' }, {}, 'Normal BackupSkipped: plan "shop" was skipped (paused)'],
  [
    { status: 'aborted', error: errors.RUN_ABORTED({ reason: 'SIGTERM' }) },
    {},
    'Warning BackupAborted: plan "shop" was aborted: RUN_ABORTED: ',
  ],
  [
    { status: 'failed', error: broken },
    { trigger: 'boot' },
    'Warning BootFailed: installing the dependencies of plan "shop" failed: EXEC_FAILED: ',
  ],
  [{ status: 'succeeded' }, { trigger: 'restore' }, 'Normal RestoreSucceeded: restoring from plan "shop" succeeded'],
  [
    { status: 'failed', error: broken },
    { trigger: 'drill', drill: 'weekly' },
    'Warning DrillFailed: restore drill "weekly" of plan "shop" failed: EXEC_FAILED: ',
  ],
  [
    { status: 'succeeded' },
    { trigger: 'verify' },
    'Normal VerifySucceeded: verifying the backups of plan "shop" succeeded',
  ],
  [{ status: 'succeeded' }, { plan: 'scrub' }, 'Normal MaintenanceSucceeded: plan "scrub" succeeded'],
] as const)('the end of a run: %o %o', async ([outcome, of, expected]) => {
  const { events, lines, settle } = world({ isMaintenance: (plan) => plan === 'scrub' })
  events(ended(outcome, { ...run, ...of }))
  await settle()
  expect(lines()).toEqual([expect.stringContaining(`Pod/shop-0 ${expected}`)])
})

test('a boot that succeeds, and a dry run, say nothing', async () => {
  const { events, posted, settle } = world()
  for (const of of [
    { ...run, trigger: 'boot' as const },
    { ...run, dryRun: true },
  ]) {
    events({ type: 'run-started', run: of, at: new Date(0) })
    events(ended({}, of))
  }
  await settle()
  expect(posted).toEqual([])
})

test('what becomes known of a target after its backup is told, too: unverified, suspect, never come to', async () => {
  const { events, lines, settle } = world()
  const point = { id: 'p', target: 'small', createdAt: new Date(0), state: 'suspect', ref: null } as const
  const skipped = outcomeOf('excluded', { status: 'skipped', reason: 'no label', verification: 'not-applicable' })
  for (const each of [outcomeOf('bad'), outcomeOf('small'), skipped]) events(targetEnded(each))
  const targets = [
    outcomeOf('bad', { verification: 'unverified', error: broken }),
    outcomeOf('small', { points: [point] }),
    skipped,
    outcomeOf('late', { status: 'aborted' }),
    { ...outcomeOf('scripts', { status: 'aborted' }), target: target('scripts', false) },
  ]
  events(ended({ status: 'aborted', targets }))
  await settle()
  expect(lines().slice(2)).toEqual([
    'PersistentVolumeClaim/excluded Normal BackupSkipped: "excluded" was left out by plan "shop" (no label)',
    expect.stringMatching(
      /^PersistentVolumeClaim\/bad Warning BackupUnverified: the backup of "bad" by plan "shop" could not be verified: EXEC_FAILED: /,
    ),
    expect.stringMatching(/^PersistentVolumeClaim\/small Warning BackupSuspect: plan "shop": TARGET_SUSPECT: /),
    'PersistentVolumeClaim/late Warning BackupAborted: "late" was not backed up: plan "shop" was aborted',
    'Pod/shop-0 Warning BackupAborted: plan "shop" was aborted: 2 of 5 targets were backed up',
  ])
})

test('an undo that could not be run is a warning on our pod', async () => {
  const { events, lines, settle } = world()
  const undo = { type: 'undo-settled', run, undo: 'thaw', participant: 'freezer', heldMs: 1 } as const
  const error = errors.UNDO_FAILED({ undo: 'thaw', reason: 'fsfreeze exited with 1' })
  events({ ...undo, id: '1', result: 'done', recovered: false })
  events({ ...undo, id: '2', result: 'disarmed', recovered: false })
  events({
    ...undo,
    id: '3',
    result: 'failed',
    recovered: false,
    error: recordFailure(error),
  })
  events({ ...undo, id: '4', result: 'done', recovered: true })
  events({ ...undo, id: '5', result: 'taken', recovered: false })
  await settle()
  expect(lines()).toEqual([
    expect.stringMatching(
      /^Pod\/shop-0 Warning UndoPending: "thaw" of plan "shop" could not be given back and is still pending: UNDO_FAILED: .*fsfreeze exited with 1\. Something may still be frozen/,
    ),
    'Pod/shop-0 Normal UndoRecovered: "thaw" of plan "shop" was given back for an interrupted run',
    'Pod/shop-0 Warning UndoTaken: "thaw" of plan "shop" was given back by another process',
  ])
})

test('without a pod, as outside of a cluster, there are Events about targets only', async () => {
  const { events, lines, settle } = world({ pod: undefined })
  events({ type: 'run-started', run, at: new Date(0) })
  events(targetEnded(outcomeOf('orders')))
  events(ended({ targets: [outcomeOf('orders')] }))
  await settle()
  expect(lines()).toEqual([expect.stringContaining('PersistentVolumeClaim/orders')])
})

test('fault F54: no secret in an Event, however it is cut', async () => {
  const redactor = createRedactor()
  redactor.add('hunter2-hunter2')
  const { events, posted, settle } = world({ redactor })
  for (let filler = 900; filler < 1010; filler += 7) {
    const message = `${'x'.repeat(filler)} hunter2-hunter2 mongodb://app:s3cr3t@db ${Buffer.from('hunter2-hunter2').toString('base64')}`
    const error = new HoldfastError({ code: 'EXEC_FAILED', message, hint: 'hunter2-hunter2' })
    events(ended({ status: 'failed', error }))
  }
  await settle()
  expect(posted.length).toBeGreaterThan(10)
  for (const { message } of posted) {
    expect(message.length).toBeLessThanOrEqual(1000)
    expect(message).not.toMatch(/hunter|s3cr3t|aHVudGVy/)
  }
})

test('what fails the same way every minute is posted every five, and says how often', async () => {
  const { events, posted, clock } = world()
  for (let minute = 0; minute < 60; minute++) {
    events(failing(minute))
    await clock.advance('1m')
  }
  expect(posted).toHaveLength(12)
  expect(posted[0]?.message).not.toContain('times')
  for (const { message } of posted.slice(1)) expect(message).toMatch(/ \(5 times within 5m\)$/)
  // Something else is not the same.
  events(ended({ status: 'failed', error: errors.RUN_BUDGET({ budget: '1h' }) }))
  events(ended({}))
  await clock.advance(0)
  expect(posted.slice(12).map(({ reason }) => reason)).toEqual(['BackupFailed', 'BackupSucceeded'])
})

test('the same of another object is told: nobody looks at two of them for one', async () => {
  const { events, posted, settle } = world()
  for (const name of ['a', 'b', 'a']) {
    const object = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'db', name }
    events(
      targetEnded({ ...outcomeOf('same'), target: { ...target('same'), object }, status: 'failed', error: broken }),
    )
  }
  await settle()
  expect(posted.map(({ about }) => about.name)).toEqual(['a', 'b'])
})

test('an API server that refuses is one warning in a row of failures; what was not posted is not "posted already"', async () => {
  let refuses = true
  const { events, posted, clock, log, counts } = world({
    post: async () => {
      if (refuses) throw new Error('403: may not create events')
    },
  })
  for (let minute = 0; minute < 3; minute++) {
    events(failing(minute))
    await clock.advance('1m')
  }
  expect(log).toEqual([
    'warn an Event could not be posted: 403: may not create events',
    'debug an Event could not be posted: 403: may not create events',
    'debug an Event could not be posted: 403: may not create events',
  ])
  refuses = false
  events(failing(3))
  await clock.advance('1m')
  expect(posted).toHaveLength(1)
  refuses = true
  events(ended({}))
  await clock.advance(0)
  expect(log.at(-1)).toMatch(/^warn/)
  expect(await counts()).toEqual({ posted: 1, failed: 4, dropped: 0 })
})

test('an API server that hangs costs ten seconds per Event, a thousand of them at most, and warnings go first', async () => {
  let hangs = true
  const { events, posted, clock, counts } = world({
    post: () => (hangs ? new Promise<never>(() => undefined) : Promise.resolve()),
  })
  const began = performance.now()
  for (let n = 0; n < 5000; n++) events(ended({}, { ...run, id: `${n}`, plan: `plan-${n}` }))
  expect(performance.now() - began).toBeLessThan(2000)
  events(failing(0))
  expect(await counts()).toMatchObject({ dropped: 4001 })
  hangs = false
  await clock.advance('9s')
  expect(posted).toHaveLength(0)
  await clock.advance('2s')
  expect(posted).toHaveLength(999)
  expect(posted.at(-1)?.reason).toBe('BackupFailed')
  expect(await counts()).toEqual({ posted: 999, failed: 1, dropped: 4001 })
})

test('at the end what waits is posted, for two seconds at most, and nothing afterwards', async () => {
  const quick = world()
  for (let n = 0; n < 20; n++) quick.events(ended({}, { ...run, plan: `plan-${n}` }))
  await quick.events.close()
  expect(quick.posted).toHaveLength(20)
  expect(quick.clock.pending).toBe(0)
  quick.events(failing(1))
  await quick.settle()
  expect(quick.posted).toHaveLength(20)

  const slow = world({ post: () => new Promise<never>(() => undefined) })
  for (let n = 0; n < 20; n++) slow.events(ended({}, { ...run, plan: `plan-${n}` }))
  let closed = false
  const closing = slow.events.close().then(() => (closed = true))
  await slow.clock.advance('1900ms')
  expect(closed).toBe(false)
  await slow.clock.advance('200ms')
  await closing
  expect(slow.log).toEqual(['warn 19 Events were not posted: there was no time left'])
  expect(await slow.counts()).toMatchObject({ dropped: 19 })
  // The one that was on its way gives up by itself.
  await slow.clock.advance('10s')
  expect(await slow.counts()).toEqual({ posted: 0, failed: 1, dropped: 19 })
})

test('no run waits or fails for an Event, whatever becomes of it', async () => {
  for (const post of [() => new Promise<never>(() => undefined), () => Promise.reject(new Error('no'))]) {
    const { events, clock, counts } = world({ post })
    const made = await createTestRun({ use: [backup({})] })
    onTestFinished(() => made.close())
    const { emit } = made.engine.services
    Object.assign(made.engine.services, {
      emit(event: RunEvent) {
        events(event)
        emit(event)
      },
    })
    expect((await made.run()).outcome.status).toBe('succeeded')
    await clock.advance('1m')
    expect(await counts()).toEqual({ posted: 0, failed: 2, dropped: 0 })
  }
  const { events, log } = world({
    redactor: {
      text() {
        throw new Error('broken')
      },
    },
  })
  expect(() => events(failing(0))).not.toThrow()
  expect(log).toEqual(['warn an Event could not be written: broken'])
  expect(() =>
    kubernetesEvents({
      kubernetes: {
        event() {
          throw new Error('at once')
        },
      },
      pod,
      clock: testClock(),
      log: { debug: () => undefined, warn: () => undefined },
      meter: createMetrics(),
      redactor: createRedactor(),
    })(failing(0)),
  ).not.toThrow()
})
