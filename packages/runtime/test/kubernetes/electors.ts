// Several processes on machines of their own that want one lease: a simulation with one true time, in which nothing waits.
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { createRedactor } from '../../src/telemetry/redaction.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import type { RuntimeClock } from '../../src/clock.ts'
import { errors } from '../../src/errors.ts'
import { createLeaderElection, type LeaderElection, type Term } from '../../src/kubernetes/leader.ts'
import type { Lease, LeaseClient } from '../../src/kubernetes/lease.ts'

const log = createLogger({
  level: 'silent',
  format: 'json',
  redactor: createRedactor(),
  destination: { write: () => {} },
})

/** One true time, and what is to happen when. */
export interface World {
  now(): number
  at(time: number, act: () => void): () => void
  /** Lets everything happen until then; `look` is called after each thing. */
  run(until: number, look: () => void): Promise<void>
}

/** A world in which nothing has happened yet. */
export function createWorld(): World {
  let now = 0
  let order = 0
  const due = new Map<number, { readonly time: number; readonly act: () => void }>()
  return {
    now: () => now,
    at(time, act) {
      const id = order++
      due.set(id, { time: Math.max(time, now), act })
      return () => void due.delete(id)
    },
    async run(until, look) {
      for (;;) {
        let next: [number, { readonly time: number; readonly act: () => void }] | undefined
        for (const each of due) if (each[1].time <= until && (!next || each[1].time < next[1].time)) next = each
        if (!next) break
        due.delete(next[0])
        now = next[1].time
        next[1].act()
        // Promises settle before the next thing happens.
        for (let round = 0; round < 40; round++) await Promise.resolve()
        look()
      }
      now = until
      look()
    },
  }
}

/** How the API server answers one request. */
export type Answer = 'ok' | 'error' | 'lost' | 'slow'

/** An API server that keeps one lease. */
export interface LeaseServer {
  lease: Lease | undefined
  /** How the next requests are answered. */
  isDown: boolean
  /** Draws the fate of a request. */
  fate: () => { readonly answer: Answer; readonly there: number; readonly back: number }
}

/** A machine with a process on it. */
export interface Machine {
  readonly name: string
  readonly clock: RuntimeClock
  election: LeaderElection
  term: Term | undefined
  isPaused: boolean
  isDead: boolean
  pause(): void
  resume(): void
  kill(): void
  /** Another process in its place. */
  restart(): void
  resign(): Promise<void>
}

/** How a machine's clocks go. */
export interface ClockOptions {
  /** Of the monotonic clock: 1.001 is a thousandth too fast. */
  readonly rate: number
  /** How far the wall clock is off. */
  readonly skewMs: number
}

/** Times of the election under test. */
export const times = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2000 } as const

/** A machine whose process campaigns again and again. */
export function createMachine(world: World, server: LeaseServer, name: string, clocks: ClockOptions): Machine {
  let process = 0
  let stop = new AbortController()
  let held: (() => void)[] = []

  /** What happens to a paused process happens when it goes on; what happens to a dead one doesn't. */
  const deliver = (of: number, act: () => void): void => {
    if (of !== process || machine.isDead) return
    if (machine.isPaused) held.push(() => deliver(of, act))
    else act()
  }
  const monotonic = (): number => world.now() * clocks.rate

  const clockOf = (of: number): RuntimeClock => {
    const clock: RuntimeClock = {
      now: () => new Date(1_700_000_000_000 + clocks.skewMs + world.now()),
      monotonic,
      setTimer: (ms, callback) => world.at(world.now() + ms / clocks.rate, () => deliver(of, callback)),
      sleep: (duration, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason as Error)
          const abort = (): void => reject(signal?.reason as Error)
          signal?.addEventListener('abort', abort, { once: true })
          clock.setTimer(duration as number, () => {
            signal?.removeEventListener('abort', abort)
            resolve()
          })
        }),
    }
    return clock
  }

  /** A request goes there, is done or not, and its answer comes back or not. */
  const call = <T>(of: number, timeoutMs: number, act: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const { answer, there, back } = server.fate()
      const fail = (): void =>
        reject(errors.KUBERNETES_UNAVAILABLE({ verb: 'x', what: 'leases', server: 's', reason: 'r' }))
      const cancel = world.at(world.now() + timeoutMs / clocks.rate, () => deliver(of, fail))
      const reply = (settle: () => void): void => {
        if (answer === 'lost') return
        world.at(world.now() + back, () =>
          deliver(of, () => {
            cancel()
            settle()
          }),
        )
      }
      world.at(world.now() + there, () => {
        if (server.isDown || answer === 'error') return reply(fail)
        try {
          const result = act()
          reply(() => resolve(result))
        } catch (error) {
          const failure: Error = error as Error
          reply(() => reject(failure))
        }
      })
    })

  const clientOf = (of: number): LeaseClient => {
    const put = (lease: Lease): Lease => {
      const version = String(Number(server.lease?.metadata.resourceVersion ?? world.now() * 1000) + 1)
      return (server.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: version } })
    }
    const refuse = (): never => {
      throw errors.KUBERNETES_CONFLICT({ verb: 'x', what: 'leases', reason: 'r' })
    }
    return {
      name: 'test',
      read: (timeoutMs) => call(of, timeoutMs, () => server.lease),
      create: ({ spec, annotations }, timeoutMs) =>
        call(of, timeoutMs, () =>
          server.lease ? refuse() : put({ metadata: { name: 'test', annotations }, ...(spec && { spec }) }),
        ),
      replace: (lease, timeoutMs) =>
        call(of, timeoutMs, () => {
          if (!server.lease) throw errors.KUBERNETES_NOT_FOUND({ verb: 'x', what: 'leases' })
          return server.lease.metadata.resourceVersion === lease.metadata.resourceVersion ? put(lease) : refuse()
        }),
    }
  }

  const begin = (): LeaderElection => {
    const of = ++process
    stop = new AbortController()
    const { signal } = stop
    const election = createLeaderElection({
      lease: clientOf(of),
      identity: `${name}_${of}`,
      clock: clockOf(of),
      log,
      meter: createMetrics(),
      random: () => 0.5,
      inherit: (former) => `taken from ${former?.identity}`,
      handover: () => `of ${name}_${of}`,
      ...times,
    })
    const campaign = async (): Promise<void> => {
      for (;;) {
        const term = await election.campaign(signal)
        if (of === process) machine.term = term
        await new Promise<void>((resolve) => term.lost.addEventListener('abort', () => resolve(), { once: true }))
      }
    }
    campaign().catch(() => {})
    return election
  }

  const machine: Machine = {
    name,
    clock: clockOf(0),
    election: undefined as unknown as LeaderElection,
    term: undefined,
    isPaused: false,
    isDead: false,
    pause: () => void (machine.isPaused = true),
    resume() {
      machine.isPaused = false
      for (const act of held.splice(0)) act()
    },
    kill() {
      machine.isDead = true
      machine.term = undefined
      held = []
    },
    restart() {
      machine.kill()
      machine.isDead = false
      machine.isPaused = false
      machine.election = begin()
    },
    async resign() {
      stop.abort(new Error('told to stop'))
      await machine.election.resign()
      machine.isDead = true
    },
  }
  machine.election = begin()
  return machine
}
