import type { Kubernetes, Logger, Meter } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { reasonOf } from '../failure.ts'
import type { AddressedEvent } from './run-event-messages.ts'

/** Options of {@link createEventQueue}. */
export interface CreateEventQueueOptions {
  readonly kubernetes: Pick<Kubernetes, 'event'>
  readonly clock: Pick<RuntimeClock, 'setTimer'>
  readonly log: Pick<Logger, 'debug' | 'warn'>
  readonly meter: Meter
  /** An Event was not posted, and won't be. */
  onLost(event: AddressedEvent): void
}

/** Posts Events one after the other, in the background. */
export interface EventQueue {
  /** Never throws, and takes no time. */
  add(event: AddressedEvent): void
  /** Posts what waits, but for two seconds at most. Resolves always. */
  close(): Promise<void>
}

/** Beyond this an API server that is slow or gone costs Events, not memory. */
const mostWaiting = 1000
const postMs = 10_000
const flushMs = 2000

/** Nothing waits. */
export function createEventQueue({ kubernetes, clock, log, meter, onLost }: CreateEventQueueOptions): EventQueue {
  const results = meter.counter('holdfast_kubernetes_events_total', 'Kubernetes Events by what became of them', [
    'result',
  ])
  for (const result of ['posted', 'failed', 'dropped']) results.add(0, { result })
  const waiting: AddressedEvent[] = []
  let work: Promise<void> | undefined
  let closed = false
  /** Of a row of failures only the first is worth a warning. */
  let failing = false

  const lose = (event: AddressedEvent, result: 'failed' | 'dropped'): void => {
    results.add(1, { result })
    onLost(event)
  }

  const post = async (event: AddressedEvent): Promise<void> => {
    const { about, ...rest } = event
    const tooLate = Promise.withResolvers<never>()
    const cancel = clock.setTimer(postMs, () => tooLate.reject(new Error('the API server does not answer')))
    try {
      await Promise.race([kubernetes.event(about, rest), tooLate.promise])
      results.add(1, { result: 'posted' })
      failing = false
    } catch (error) {
      lose(event, 'failed')
      const message = `an Event could not be posted: ${reasonOf(error)}`
      log[failing ? 'debug' : 'warn'](message, { reason: event.reason, error })
      failing = true
    } finally {
      cancel()
    }
  }

  const drain = async (): Promise<void> => {
    // A run's listener is told of everything before the next one: let them all speak first.
    await Promise.resolve()
    for (let next = waiting.shift(); next; next = waiting.shift()) await post(next)
    work = undefined
  }

  /** Whoever fails is heard before those who say that all is well. */
  const makeRoom = (event: AddressedEvent): boolean => {
    if (waiting.length < mostWaiting) return true
    const at = event.type === 'Warning' ? waiting.findIndex(({ type }) => type === 'Normal') : -1
    if (at === -1) return false
    for (const dropped of waiting.splice(at, 1)) lose(dropped, 'dropped')
    return true
  }

  return {
    add(event) {
      if (closed || !makeRoom(event)) return lose(event, 'dropped')
      waiting.push(event)
      work ??= drain()
    },
    async close() {
      closed = true
      const patience = Promise.withResolvers<void>()
      const cancel = clock.setTimer(flushMs, patience.resolve)
      await Promise.race([work, patience.promise])
      cancel()
      const left = waiting.splice(0)
      for (const event of left) lose(event, 'dropped')
      if (left.length > 0) log.warn(`${left.length} Events were not posted: there was no time left`, {})
    },
  }
}
