import { advanceUntil, testClock, type FakeKubernetes } from '@holdfast/testing'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RuntimeClock } from '../../src/clock.ts'
import {
  createLeaderElection,
  type CreateLeaderElectionOptions,
  type LeaderElection,
  type Term,
} from '../../src/kubernetes/leader.ts'
import { leaseClient, microTime, type Lease } from '../../src/kubernetes/lease.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { createRedactor } from '../../src/telemetry/redaction.ts'
import { createMachine, createWorld, times, type Answer, type LeaseServer, type Machine } from './electors.ts'
import { clusterOf, until } from './pods.ts'
import { serve } from './support.ts'

const isLong = process.env['HOLDFAST_TEST_LONG'] !== undefined

/** What befalls a machine, or all of them. */
const event = fc.record({
  at: fc.integer({ min: 0, max: 120_000 }),
  what: fc.constantFrom('pause', 'kill', 'resign', 'down', 'delete', 'touch'),
  machine: fc.nat({ max: 3 }),
  for: fc.integer({ min: 10, max: 40_000 }),
})
const machines = fc.array(
  fc.record({
    rate: fc.double({ min: 0.98, max: 1.02, noNaN: true }),
    skewMs: fc.integer({ min: -3_600_000, max: 3_600_000 }),
  }),
  { minLength: 2, maxLength: 4 },
)
const fates = fc.infiniteStream(
  fc.record({
    answer: fc.oneof(
      { arbitrary: fc.constant<Answer>('ok'), weight: 8 },
      { arbitrary: fc.constantFrom<Answer>('error', 'lost', 'slow'), weight: 2 },
    ),
    there: fc.integer({ min: 1, max: 50 }),
    back: fc.integer({ min: 1, max: 50 }),
    slow: fc.integer({ min: 1000, max: 12_000 }),
  }),
)

test(
  'property: never two leaders, whatever happens to processes, clocks and requests; and one soon after it is over',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(machines, fc.array(event, { maxLength: 12 }), fates, async (clocks, events, stream) => {
        const world = createWorld()
        let isCalm = false
        const server: LeaseServer = {
          lease: undefined,
          isDown: false,
          fate() {
            const { answer, there, back, slow } = stream.next().value as {
              answer: Answer
              there: number
              back: number
              slow: number
            }
            if (isCalm) return { answer: 'ok', there, back }
            // A slow one may be late on its way there, and be done when nobody expects it any more.
            return answer === 'slow' ? { answer: 'ok', there: slow, back } : { answer, there, back }
          },
        }
        const all = clocks.map((clock, index) => createMachine(world, server, `m${index}`, clock))
        const leaders = (): readonly Machine[] => all.filter(({ election, isDead }) => !isDead && election.isLeader())
        const look = (): void => {
          const leading = leaders().map(({ name }) => name)
          if (leading.length > 1) throw new Error(`${leading.join(' and ')} lead at ${world.now()}`)
        }
        for (const { at, what, machine, for: duration } of events) {
          const which = all[machine % all.length] as Machine
          world.at(at, () => happen(what, which, server))
          world.at(at + duration, () => unhappen(what, which, server))
        }
        await world.run(160_000, look)
        isCalm = true
        server.isDown = false
        for (const machine of all) {
          if (machine.isPaused) machine.resume()
          if (machine.isDead) machine.restart()
        }
        await world.run(160_000 + 2 * times.leaseMs, look)
        expect(leaders()).toHaveLength(1)
        // And it stays.
        const [leader] = leaders()
        await world.run(160_000 + 6 * times.leaseMs, look)
        expect(leaders()).toEqual([leader])
      }),
      { numRuns: isLong ? 3000 : 150, endOnFailure: true },
    )
  },
)

function happen(what: string, machine: Machine, server: LeaseServer): void {
  if (what === 'pause') machine.pause()
  if (what === 'kill') machine.kill()
  if (what === 'resign' && !machine.isDead && !machine.isPaused) void machine.resign()
  if (what === 'down') server.isDown = true
  if (what === 'delete') server.lease = undefined
  if (what === 'touch' && server.lease) {
    // As somebody does who labels it.
    const { metadata } = server.lease
    server.lease = {
      ...server.lease,
      metadata: { ...metadata, resourceVersion: `${Number(metadata.resourceVersion) + 1}` },
    }
  }
}

function unhappen(what: string, machine: Machine, server: LeaseServer): void {
  if (what === 'pause' && !machine.isDead) machine.resume()
  if (what === 'kill' || what === 'resign') machine.restart()
  if (what === 'down') server.isDown = false
}

describe('in a simulated world', () => {
  const calm = (): LeaseServer => ({
    lease: undefined,
    isDown: false,
    fate: () => ({ answer: 'ok', there: 5, back: 5 }),
  })
  const steady = { rate: 1, skewMs: 0 }

  test('the leader is killed: another one leads when the lease has run out, and not before', async () => {
    const world = createWorld()
    const server = calm()
    const all = ['a', 'b'].map((name) => createMachine(world, server, name, steady))
    await world.run(30_000, () => {})
    const first = all.find(({ election }) => election.isLeader())!
    const second = all.find((machine) => machine !== first)!
    first.kill()
    await world.run(30_000 + times.leaseMs - times.retryMs, () => {})
    expect(second.election.isLeader()).toBe(false)
    await world.run(30_000 + times.leaseMs + 2 * times.retryMs, () => {})
    expect(second.election.isLeader()).toBe(true)
    expect(second.term?.former).toMatchObject({ identity: `${first.name}_1`, handover: `of ${first.name}_1` })
  })

  test('the leader stands still for longer than the lease: it does not lead when it goes on, before any timer has run', async () => {
    const world = createWorld()
    const server = calm()
    const all = ['a', 'b'].map((name) => createMachine(world, server, name, steady))
    await world.run(30_000, () => {})
    const first = all.find(({ election }) => election.isLeader())!
    const { lost } = first.term!
    first.pause()
    await world.run(60_000, () => {})
    expect(lost.aborted).toBe(false)
    expect(first.election.isLeader()).toBe(false)
    expect(all.filter(({ election }) => election.isLeader())).toHaveLength(1)
    first.resume()
    expect(lost.aborted).toBe(true)
  })

  test('the API server is down: the leader leads no more before anybody else could', async () => {
    const world = createWorld()
    const server = calm()
    const only = createMachine(world, server, 'a', steady)
    await world.run(30_000, () => {})
    server.isDown = true
    await world.run(30_000 + times.renewMs - times.retryMs - 100, () => {})
    expect(only.election.isLeader()).toBe(true)
    await world.run(30_000 + times.renewMs, () => {})
    expect(only.election.isLeader()).toBe(false)
    server.isDown = false
    await world.run(30_000 + times.renewMs + 2 * times.retryMs, () => {})
    expect(only.election.isLeader()).toBe(true)
  })

  test('the machine was suspended, its monotonic clock with it: the wall clock tells', async () => {
    const world = createWorld()
    const server = calm()
    const clocks = { rate: 1, skewMs: 0 }
    const only = createMachine(world, server, 'a', clocks)
    await world.run(30_000, () => {})
    expect(only.election.isLeader()).toBe(true)
    clocks.skewMs += times.leaseMs
    expect(only.election.isLeader()).toBe(false)
  })

  test('a leader that resigns is followed at once, and what it left is handed on', async () => {
    const world = createWorld()
    const server = calm()
    const all = ['a', 'b'].map((name) => createMachine(world, server, name, steady))
    await world.run(30_000, () => {})
    const first = all.find(({ election }) => election.isLeader())!
    void first.resign()
    expect(first.election.isLeader()).toBe(false)
    await world.run(30_000 + 2 * times.retryMs, () => {})
    const leader = all.find(({ election }) => election.isLeader())!
    expect(leader.term?.former).toMatchObject({ identity: '', handover: `of ${first.name}_1` })
  })
})

describe('on an API server', () => {
  interface Elector {
    readonly election: LeaderElection
    readonly metrics: ReturnType<typeof createMetrics>
    readonly troubles: unknown[]
  }
  const elector = (
    server: FakeKubernetes,
    clock: RuntimeClock,
    identity: string,
    more: Partial<CreateLeaderElectionOptions> = {},
  ): Elector => {
    const cluster = clusterOf(server, {}, clock)
    onTestFinished(() => cluster.close())
    const metrics = createMetrics()
    const troubles: unknown[] = []
    const election = createLeaderElection({
      lease: leaseClient({ kubernetes: cluster.kubernetes, name: 'holdfast' }),
      identity,
      clock,
      log: createLogger({
        level: 'silent',
        format: 'json',
        redactor: createRedactor(),
        destination: { write: () => {} },
      }),
      meter: metrics,
      inherit: () => '{}',
      handover: () => undefined,
      onTrouble: (error) => troubles.push(error),
      ...more,
    })
    return { election, metrics, troubles }
  }
  const setUp = async () => {
    const server = await serve({ namespace: 'shop' })
    const clock = testClock()
    const stop = new AbortController()
    onTestFinished(() => stop.abort(new Error('the test is over')))
    const lease = (): Lease | undefined => server.objects.get('leases', 'shop', 'holdfast')
    /** Lets time pass until something has settled; it stands still while a request is not answered. */
    const passTime = async (work: Promise<unknown>): Promise<void> => {
      let settled = false
      const settle = (): void => void (settled = true)
      work.then(settle, settle)
      while (!settled) {
        await clock.advance(250)
        // An answer that was lost is not waited for.
        const end = Date.now() + 300
        do await new Promise((resolve) => setTimeout(resolve, 1))
        while (Date.now() < end && server.requests.slice(-3).some(({ status }) => status === undefined))
      }
    }
    const campaign = async ({ election }: Elector): Promise<Term> => {
      const work = election.campaign(stop.signal)
      work.catch(() => {})
      await passTime(work)
      return work
    }
    return { server, clock, lease, campaign, passTime, signal: stop.signal }
  }

  test('a Lease that a chart made without a holder is taken, and everything else in it stays', async () => {
    const { server, clock, lease, campaign } = await setUp()
    server.objects.put({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: 'holdfast',
        namespace: 'shop',
        labels: { chart: 'holdfast' },
        annotations: { release: 'shop' },
      },
    })
    const a = elector(server, clock, 'a')
    const term = await campaign(a)
    expect(term.former).toBeUndefined()
    expect(lease()?.metadata).toMatchObject({ labels: { chart: 'holdfast' }, annotations: { release: 'shop' } })
    expect(lease()?.spec).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 1,
      renewTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
    })
    expect(await a.metrics.text()).toMatch(/^holdfast_leader 1$/m)
  })

  test('without a Lease one is made, once it is certain that nobody led by one that was removed', async () => {
    const { server, clock, lease, campaign } = await setUp()
    const a = elector(server, clock, 'a')
    const began = clock.monotonic()
    await campaign(a)
    expect(clock.monotonic() - began).toBeGreaterThanOrEqual(15_000)
    expect(lease()?.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 1 })
  })

  test('one that had to be made is not handed over before it runs out: somebody may still lead by the one before', async () => {
    const { server, clock, lease, campaign, passTime, signal } = await setUp()
    const a = elector(server, clock, 'a')
    const began = clock.monotonic()
    const campaigning = new AbortController()
    a.election.campaign(campaigning.signal).catch(() => {})
    await passTime(clock.sleep('3s'))
    expect(lease()?.spec).toMatchObject({ holderIdentity: 'a' })
    campaigning.abort(new Error('told to stop'))
    await passTime(a.election.resign())
    expect(lease()?.spec).toMatchObject({ holderIdentity: 'a' })
    expect(signal.aborted).toBe(false)
    await campaign(elector(server, clock, 'b'))
    expect(clock.monotonic() - began).toBeGreaterThanOrEqual(15_000)
  })

  test('renewals keep the time of acquisition; the next leader counts one more', async () => {
    const { server, clock, lease, campaign, passTime, signal } = await setUp()
    const a = elector(server, clock, 'a')
    const b = elector(server, clock, 'b')
    const term = await campaign(a)
    const waiting = b.election.campaign(signal)
    const first = lease()?.spec
    await passTime(clock.sleep('20s'))
    expect(lease()?.spec).toMatchObject({ acquireTime: first?.acquireTime, leaseTransitions: 1 })
    expect(lease()?.spec?.renewTime).not.toBe(first?.renewTime)
    expect([a.election.isLeader(), b.election.isLeader(), b.election.holder()]).toEqual([true, false, 'a'])
    await passTime(a.election.resign())
    const written = server.requests.filter(({ method }) => method === 'PUT').map(({ body }) => (body as Lease).spec)
    expect(written).toContainEqual(expect.objectContaining({ holderIdentity: '', leaseDurationSeconds: 1 }))
    expect(term.lost.aborted).toBe(true)
    await passTime(waiting)
    expect(lease()?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 2 })
    await passTime(b.election.resign())
  })

  test('a holder that has certainly ended is followed at once', async () => {
    const { server, clock, lease, campaign, signal } = await setUp()
    server.objects.put({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'holdfast', namespace: 'shop' },
      spec: { holderIdentity: 'before', renewTime: microTime(clock.now()), leaseDurationSeconds: 15 },
    })
    const other = elector(server, clock, 'b')
    const waiting = other.election.campaign(signal)
    waiting.catch(() => {})
    const term = await campaign(elector(server, clock, 'a', { isGone: (identity) => identity === 'before' }))
    expect(term.former).toMatchObject({ identity: 'before' })
    expect(clock.monotonic()).toBeLessThan(2000)
    expect(lease()?.spec).toMatchObject({ holderIdentity: 'a' })
  })

  test('somebody labels it while it is renewed: that changes nothing', async () => {
    const { server, clock, lease, campaign, passTime } = await setUp()
    const a = elector(server, clock, 'a')
    const term = await campaign(a)
    server.objects.put({ ...lease()!, metadata: { ...lease()!.metadata, labels: { seen: 'yes' } } })
    await passTime(clock.sleep('20s'))
    expect(term.isLeading()).toBe(true)
    expect(lease()?.metadata.labels).toEqual({ seen: 'yes' })
    await passTime(a.election.resign())
  })

  test('a lease that somebody else took, or that was removed, is lost at the next renewal', async () => {
    const { server, clock, lease, campaign, passTime } = await setUp()
    const a = elector(server, clock, 'a')
    const term = await campaign(a)
    server.objects.put({ ...lease()!, spec: { ...lease()!.spec, holderIdentity: 'b' } })
    await passTime(clock.sleep('3s'))
    expect(term.lost.aborted).toBe(true)
    expect(String(term.lost.reason)).toContain('b leads')
    expect(a.election.isLeader()).toBe(false)
  })

  test('who is told to stop waits for no answer of the API server, and does not lead by one that comes late', async () => {
    const { server, clock, lease } = await setUp()
    const stop = new AbortController()
    const silence = server.misbehave({ method: 'GET', path: /leases/ }, 'slow')
    const a = elector(server, clock, 'a')
    server.objects.put({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'holdfast', namespace: 'shop' },
    })
    const work = a.election.campaign(stop.signal)
    let ended = false
    work.catch(() => void (ended = true))
    await until(() => server.requests.length > 0)
    stop.abort(new Error('told to stop'))
    await clock.advance(0)
    expect(ended).toBe(true)
    const resigned = a.election.resign()
    silence.end()
    await advanceUntil(clock, resigned, '10ms')
    expect(a.election.isLeader()).toBe(false)
    expect(lease()?.spec?.holderIdentity ?? '').toBe('')
  })

  test('without the right it is said, and taken once it is granted', async () => {
    const { server, clock, passTime, signal } = await setUp()
    server.authorize.deny({ verb: 'get', resource: 'leases' })
    const a = elector(server, clock, 'a')
    const work = a.election.campaign(signal)
    await passTime(clock.sleep('5s'))
    expect(a.troubles).toMatchObject([
      { code: 'KUBERNETES_FORBIDDEN', hint: expect.stringContaining('leases') as string },
    ])
    server.authorize.allowAll()
    await passTime(work)
    expect(a.troubles.at(-1)).toBeUndefined()
    expect(a.election.isLeader()).toBe(true)
    await passTime(a.election.resign())
  })

  test('an answer that was lost: it was taken all the same, and what the one before left is not lost with it', async () => {
    const { server, clock, lease, campaign, passTime } = await setUp()
    server.objects.put({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'holdfast', namespace: 'shop', annotations: { 'holdfast.dev/handover': 'what z left' } },
      spec: { holderIdentity: '', renewTime: microTime(new Date()) },
    })
    server.misbehave({ method: 'PUT', times: 1 }, 'lost-answer')
    const a = elector(server, clock, 'a', { inherit: (former) => former?.handover ?? 'nothing' })
    const term = await campaign(a)
    expect(term.former).toMatchObject({ identity: 'a', handover: 'what z left' })
    expect(lease()?.metadata.annotations).toEqual({ 'holdfast.dev/handover': 'what z left' })
    await passTime(a.election.resign())
  })
})
