import type { Logger } from '@holdfast/sdk'
import { validatePlan, type Engine, type RuntimeClock } from '@holdfast/runtime'
import { problemsIn } from '../problems.ts'
import { reasonFrom, type NotReadyReason } from './status.ts'

/** What a {@link Validation} needs. */
export interface ValidationOptions {
  readonly engine: Engine
  readonly clock: Pick<RuntimeClock, 'setTimer'>
  readonly log: Logger
  /** Told what stands in the way of the plans. */
  report(reasons: readonly NotReadyReason[]): void
}

/** Calls the `validate` hooks of a daemon's plans. */
export interface Validation {
  /** All of them, at load. Resolves when all have been heard. */
  start(): Promise<void>
  /** One of them, after its run failed. */
  again(plan: string): void
  stop(): void
}

const pauseMs = 60_000

/**
 * A daemon with plans that can't run stays up, is not ready, and looks again every minute: a mended ConfigMap needs no
 * restart.
 */
export function createValidation({ engine, clock, log, report }: ValidationOptions): Validation {
  const found = new Map<string, readonly NotReadyReason[]>()
  const stop = new AbortController()
  let cancel: (() => void) | undefined
  let work: Promise<void> = Promise.resolve()

  const check = async (names: readonly string[]): Promise<void> => {
    const plans = engine.config().plans
    for (const plan of plans.filter(({ name }) => names.includes(name))) {
      if (stop.signal.aborted) return
      const problems = await validatePlan(engine.services, plan, 'load', stop.signal)
      const all = problems.flatMap(problemsIn)
      found.set(
        plan.name,
        all.map((problem) => reasonFrom(problem, plan.name)),
      )
    }
    const known = new Set(plans.map(({ name }) => name))
    for (const name of found.keys()) if (!known.has(name)) found.delete(name)
    if (stop.signal.aborted) return
    report([...found.values()].flat())
    wait()
  }

  const enqueue = (names: () => readonly string[]): Promise<void> => {
    work = work.then(() => check(names())).catch((error: unknown) => log.error('validating failed', { error }))
    return work
  }

  function wait(): void {
    cancel?.()
    const refused = [...found].filter(([, reasons]) => reasons.length > 0).map(([name]) => name)
    cancel = refused.length === 0 ? undefined : clock.setTimer(pauseMs, () => void enqueue(() => refused))
  }

  return {
    start: () => enqueue(() => engine.config().plans.map(({ name }) => name)),
    again: (plan) => void enqueue(() => [plan]),
    stop() {
      stop.abort(new Error('the daemon stops'))
      cancel?.()
    },
  }
}
