import { parseDuration, type Duration } from '@holdfast/sdk'
import type { TestClock } from './test-clock.ts'

// Taken before a test can replace it by a fake one.
const { setTimeout } = globalThis

/**
 * Lets time pass, in small steps, until a promise settles: for what waits more than once, with real work in between. It
 * begins slowly: real work of a busy machine is mostly at the beginning, and should not lose a race against a deadline of
 * seconds.
 *
 * @param step - per two milliseconds of real time, from a tenth of a second on; a fiftieth of it at first. Keep it far
 *   below every deadline that is not meant to pass. Default: one second
 * @returns what the promise resolves to
 * @example
 * ```ts
 * const { outcome } = await advanceUntil(test.clock, test.run())
 * ```
 */
export async function advanceUntil<T>(clock: TestClock, promise: Promise<T>, step: Duration = '1s'): Promise<T> {
  let settled = false
  const end = promise.finally(() => (settled = true))
  end.catch(() => {})
  const most = parseDuration(step)
  let next = most / 50
  while (!settled) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    if (!settled) await clock.advance(next)
    next = Math.min(most, next * 1.06)
  }
  return end
}
