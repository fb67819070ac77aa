import type { Duration } from '@holdfast/sdk'
import type { TestClock } from './test-clock.ts'

// Taken before a test can replace it by a fake one.
const { setTimeout } = globalThis

/**
 * Lets time pass, in small steps, until a promise settles: for what waits more than once, with real work in between.
 *
 * @param step - per two milliseconds of real time; keep it far below every deadline that is not meant to pass
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
  while (!settled) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    if (!settled) await clock.advance(step)
  }
  return end
}
