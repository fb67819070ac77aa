import { formatDuration } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'

/**
 * Runs what must still happen when everything else was given up, such as cleaning up: with a signal of its own that
 * aborts after so many milliseconds.
 */
export async function withDeadline<T>(
  clock: Pick<RuntimeClock, 'setTimer'>,
  ms: number,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController()
  const cancel = clock.setTimer(ms, () => limit.abort(new Error(`it took longer than ${formatDuration(ms)}`)))
  try {
    return await body(limit.signal)
  } finally {
    cancel()
  }
}
