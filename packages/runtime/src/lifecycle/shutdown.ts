import { setMaxListeners } from 'node:events'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import type { Shutdown } from '../services.ts'

/** Of the grace, for hooks that were told to stop; the rest is for undos and observers. */
const shareOfHooks = 0.4

/** The order to stop, and how much time is left. */
export interface ShutdownControl {
  readonly signals: Shutdown
  /** The first time it begins the grace; after that it hurries. */
  begin(graceMs: number): void
  close(): void
}

/** Nobody has been told to stop yet. */
export function createShutdown(clock: Pick<RuntimeClock, 'setTimer'>): ShutdownControl {
  const requested = controller()
  const abandoned = controller()
  const hurried = controller()
  const expired = controller()
  const timers: (() => void)[] = []
  return {
    signals: {
      requested: requested.signal,
      abandoned: abandoned.signal,
      hurried: hurried.signal,
      expired: expired.signal,
    },
    begin(graceMs) {
      if (requested.signal.aborted) {
        const reason = errors.RUN_ABORTED({ reason: 'told to stop twice' })
        hurried.abort(reason)
        abandoned.abort(reason)
        return
      }
      requested.abort(errors.RUN_ABORTED({ reason: 'told to stop' }))
      const reason = errors.RUN_ABORTED({ reason: 'the shutdown grace is used up' })
      timers.push(
        clock.setTimer(graceMs * shareOfHooks, () => abandoned.abort(reason)),
        clock.setTimer(graceMs, () => {
          hurried.abort(reason)
          expired.abort(reason)
        }),
      )
    },
    close() {
      for (const cancel of timers) cancel()
    },
  }
}

function controller(): AbortController {
  const made = new AbortController()
  // Every run and command of a process listens to them.
  setMaxListeners(0, made.signal)
  return made
}
