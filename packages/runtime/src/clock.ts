import { parseDuration, type Clock, type Duration } from '@holdfast/sdk'

/** The runtime's clock: the contract's, and what only the engine needs. Tests inject their own. */
export interface RuntimeClock extends Clock {
  /** Milliseconds from an arbitrary start; never jumps. For durations and deadlines. */
  monotonic(): number
  /**
   * Calls back once after so many milliseconds of {@link monotonic} time; any length, also beyond 2^31 ms.
   *
   * @returns cancels it
   */
  setTimer(ms: number, callback: () => void): () => void
}

// setTimeout turns a longer delay into 1 ms (fault F20).
const longestTimeout = 2 ** 31 - 1

function setTimer(ms: number, callback: () => void): () => void {
  let handle: NodeJS.Timeout
  const wait = (remaining: number): void => {
    const step = Math.min(Math.max(remaining, 0), longestTimeout)
    handle = setTimeout(() => (remaining > step ? wait(remaining - step) : callback()), step)
  }
  wait(ms)
  return () => clearTimeout(handle)
}

/** Sleeps on a clock's own timer; rejects with the signal's reason when aborted. */
export function sleepOn(
  clock: Pick<RuntimeClock, 'setTimer'>,
  duration: Duration,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = clock.setTimer(parseDuration(duration), () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}

/** The machine's clock. */
export const systemClock: RuntimeClock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  setTimer,
  sleep: (duration, signal) => sleepOn(systemClock, duration, signal),
}
