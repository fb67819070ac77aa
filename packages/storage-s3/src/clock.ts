import { setTimeout } from 'node:timers/promises'

/** Time, so that tests own it. */
export interface DriverClock {
  /** Milliseconds that never go back. */
  now(): number
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's time. */
export const systemClock: DriverClock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await setTimeout(ms, undefined, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
}
