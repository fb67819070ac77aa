import { setMaxListeners } from 'node:events'
import type { RuntimeClock } from '../clock.ts'

/** A signal that follows others and may end at a deadline; close it when the work is done. */
export interface LinkedSignal {
  readonly signal: AbortSignal
  abort(reason: Error): void
  close(): void
}

/**
 * A signal that aborts with the first of its parents, or after so many milliseconds on the injected clock
 * (`AbortSignal.timeout` knows only the machine's).
 */
export function linkSignals(
  parents: readonly AbortSignal[],
  deadline?: { readonly clock: RuntimeClock; readonly ms: number; readonly reason: () => Error },
): LinkedSignal {
  const controller = new AbortController()
  // Every target and command of a run listens to the run's signal.
  setMaxListeners(0, controller.signal)
  const follow = parents.map((parent) => {
    const abort = (): void => controller.abort(parent.reason)
    if (parent.aborted) abort()
    else parent.addEventListener('abort', abort, { once: true })
    return () => parent.removeEventListener('abort', abort)
  })
  const cancel = deadline && deadline.clock.setTimer(deadline.ms, () => controller.abort(deadline.reason()))
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    close() {
      cancel?.()
      for (const stop of follow) stop()
    },
  }
}
