import type { RuntimeClock } from '../clock.ts'
import { aborted, idled, timedOut } from './failures.ts'
import type { Failure } from './stopper.ts'

/** What stops a command from outside. */
export interface DeadlineOptions {
  readonly clock: RuntimeClock
  readonly signals: readonly (AbortSignal | undefined)[]
  /** In ms; `undefined` is none. */
  readonly timeoutMs: number | undefined
  readonly idleMs: number | undefined
  /** When it last printed something, as the clock's monotonic time. */
  readonly lastOutput: () => number
  readonly stop: (failure: Failure) => void
}

/** Watches a command's signals, its timeout and its silence. @returns ends the watch */
export function armDeadlines(options: DeadlineOptions): () => void {
  const { clock, signals, timeoutMs, idleMs, lastOutput, stop } = options
  const releases: (() => void)[] = []

  for (const signal of signals) {
    if (!signal) continue
    const abort = (): void => stop(aborted(signal))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    releases.push(() => signal.removeEventListener('abort', abort))
  }
  if (timeoutMs !== undefined) releases.push(clock.setTimer(timeoutMs, () => stop(timedOut(timeoutMs))))
  if (idleMs !== undefined) releases.push(watchSilence(clock, idleMs, lastOutput, () => stop(idled(idleMs))))
  return () => releases.forEach((release) => release())
}

/** Calls back once nothing has come for so long. @returns ends the watch */
export function watchSilence(
  clock: RuntimeClock,
  ms: number,
  lastOutput: () => number,
  silent: () => void,
): () => void {
  let cancel = (): void => {}
  const look = (wait: number): void => {
    cancel = clock.setTimer(wait, () => {
      const left = lastOutput() + ms - clock.monotonic()
      if (left > 0) look(left)
      else silent()
    })
  }
  look(ms)
  return () => cancel()
}
