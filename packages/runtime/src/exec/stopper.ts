import type { HoldfastError } from '@holdfast/sdk'
import type { Child } from './child.ts'

/** What an error is made of when the command has ended. */
export interface Remains {
  readonly command: string
  /** The last of its standard error, redacted. */
  readonly stderrTail: string
}

/** Why a command failed; made into an error at its end, when all it said is known. */
export type Failure = (remains: Remains) => HoldfastError

/** Ends a command before its time: TERM, or what else it heeds, to its group, and KILL to what is left after the grace. */
export interface Stopper {
  /** The first reason for which it failed or was stopped. */
  readonly failure: Failure | undefined
  /** Whether it was stopped. */
  readonly stopping: boolean
  /** It failed by itself. */
  fail(failure: Failure): void
  stop(failure: Failure): void
  /** Resolves when a stopped command's group is gone; at once if it was never stopped. */
  groupGone(): Promise<void>
  /** Resolves when all was tried and there is nothing left to wait for. */
  readonly givenUp: Promise<void>
  /** The command has settled. */
  release(): void
}

/** What the kernel, and whoever takes the output, get for the rest after KILL, in ms. */
const lastGraceMs = 1000
const pollMs = 20

/**
 * Creates a {@link Stopper}. Real timers, whatever clock the runtime has: it is real processes that get the grace.
 *
 * @param graceMs - between the first signal and KILL
 * @param firstSignal - what it cleans up on
 */
export function createStopper(child: Child, graceMs: number, firstSignal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Stopper {
  const timers = new Set<NodeJS.Timeout>()
  const later = (ms: number, then: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      then()
    }, ms)
    timers.add(timer)
  }
  let failure: Failure | undefined
  let stopping = false
  const given = Promise.withResolvers<void>()
  let over = false
  const giveUp = (): void => {
    over = true
    given.resolve()
  }

  return {
    get failure() {
      return failure
    },
    get stopping() {
      return stopping
    },
    givenUp: given.promise,
    fail(reason) {
      failure ??= reason
    },
    stop(reason) {
      if (stopping || over) return
      stopping = true
      failure ??= reason
      child.signal(firstSignal)
      later(child.lives() ? graceMs : 0, () => {
        child.signal('SIGKILL')
        later(lastGraceMs, giveUp)
      })
    },
    async groupGone() {
      while (stopping && !over && child.lives()) await new Promise((resolve) => setTimeout(resolve, pollMs))
    },
    release() {
      over = true
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}
