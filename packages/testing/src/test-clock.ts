import type { RuntimeClock } from '@holdfast/runtime'
import { parseDuration, type Duration } from '@holdfast/sdk'

/** A clock that stands still until a test moves it. */
export interface TestClock extends RuntimeClock {
  /**
   * Lets time pass: wall clock and monotonic clock together. Runs the timers that become due in their order, each at
   * its own time, and lets promises and immediates settle after each. `advance(0)` runs what is due now.
   */
  advance(duration: Duration): Promise<void>
  /**
   * Sets the wall clock alone forward, or back with a negative number of milliseconds, as an operator or NTP does. No
   * timer runs: timers follow the monotonic clock.
   */
  jump(ms: number): void
  /** Timers that wait. */
  readonly pending: number
}

/** How a {@link testClock} begins. */
export interface TestClockOptions {
  /** Wall clock at the start. Default: 2026-01-01T00:00:00Z. */
  readonly now?: Date | string | undefined
}

interface Timer {
  readonly due: number
  readonly callback: () => void
}

// Taken before a test can replace it by a fake one.
const { setImmediate } = globalThis

/**
 * A clock for tests: nothing sleeps, and a year passes at once.
 *
 * @example
 * ```ts
 * const clock = testClock({ now: '2026-03-29T00:59:00Z' })
 * const done = clock.sleep('2m')
 * await clock.advance('2m')
 * await done
 * ```
 */
export function testClock(options: TestClockOptions = {}): TestClock {
  let monotonic = 0
  // Wall clock when the monotonic clock was 0.
  let origin = new Date(options.now ?? '2026-01-01T00:00:00Z').getTime()
  if (Number.isNaN(origin)) throw new TypeError(`${String(options.now)} is not a time`)
  const timers = new Set<Timer>()

  const clock: TestClock = {
    now: () => new Date(origin + monotonic),
    monotonic: () => monotonic,
    setTimer(ms, callback) {
      const timer = { due: monotonic + Math.max(0, ms), callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async sleep(duration, signal) {
      signal?.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => {
          cancel()
          reject(signal?.reason as Error)
        }
        const cancel = clock.setTimer(parseDuration(duration), () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        })
        signal?.addEventListener('abort', abort, { once: true })
      })
    },
    async advance(duration) {
      const end = monotonic + parseDuration(duration)
      await settle()
      for (let timer = earliest(timers, end); timer !== undefined; timer = earliest(timers, end)) {
        timers.delete(timer)
        monotonic = timer.due
        timer.callback()
        await settle()
      }
      monotonic = end
    },
    jump(ms) {
      origin += ms
    },
    get pending() {
      return timers.size
    },
  }
  return clock
}

// The first that was set among the earliest: a set keeps the order of insertion.
function earliest(timers: ReadonlySet<Timer>, end: number): Timer | undefined {
  let found: Timer | undefined
  for (const timer of timers) if (timer.due <= end && (found === undefined || timer.due < found.due)) found = timer
  return found
}

async function settle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await new Promise<void>((resolve) => setImmediate(resolve))
}
