import { formatDuration } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import type { AddressedEvent } from './run-event-messages.ts'

/** The same Event is posted once within this time. */
const windowMs = 5 * 60_000
/** Of so many different ones it is known when they were posted last. */
const mostKnown = 1000

/** Keeps a plan that fails the same way every minute from burying everything else. */
export interface EventRepeats {
  /** @returns the Event as it is to be posted; `undefined`: it was posted a short while ago */
  pass(event: AddressedEvent): AddressedEvent | undefined
  /** It was not posted after all: the next one must not be left out for its sake. */
  forget(event: AddressedEvent): void
}

/** Nothing was posted yet. */
export function createEventRepeats(clock: Pick<RuntimeClock, 'monotonic'>): EventRepeats {
  const posted = new Map<string, { readonly at: number; leftOut: number }>()
  /** One that says how often is the same as one that doesn't. */
  const keys = new WeakMap<AddressedEvent, string>()

  return {
    pass(event) {
      const { about, reason, message } = event
      const key = JSON.stringify([about.kind, about.namespace, about.name, about.uid, reason, message])
      const now = clock.monotonic()
      const last = posted.get(key)
      if (last && now - last.at < windowMs) {
        last.leftOut++
        return undefined
      }
      // To the end of the line.
      posted.delete(key)
      posted.set(key, { at: now, leftOut: 0 })
      const [oldest] = posted.keys()
      if (posted.size > mostKnown && oldest !== undefined) posted.delete(oldest)
      const times =
        last && last.leftOut > 0 ? ` (${last.leftOut + 1} times within ${formatDuration(now - last.at)})` : ''
      const passed = { ...event, message: message + times }
      keys.set(passed, key)
      return passed
    },
    forget(event) {
      posted.delete(keys.get(event) ?? '')
    },
  }
}
