import type { Logger } from '@holdfast/sdk'
import { drillId, validateDrill, validatePlan, type Engine, type RuntimeClock } from '@holdfast/runtime'
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

/** Calls the `validate` hooks of a daemon's plans, and looks at its drills. */
export interface Validation {
  /** All of them, at load. Resolves when all have been heard. */
  start(): Promise<void>
  /** One of them, after its run failed: what the scheduler calls a plan or a drill. */
  again(name: string): void
  stop(): void
}

const pauseMs = 60_000

/**
 * A daemon with plans or drills that can't run stays up, is not ready, and looks again every minute: a mended ConfigMap needs no
 * restart.
 */
export function createValidation({ engine, clock, log, report }: ValidationOptions): Validation {
  const found = new Map<string, readonly NotReadyReason[]>()
  const stop = new AbortController()
  let cancel: (() => void) | undefined
  let work: Promise<void> = Promise.resolve()

  const check = async (names: readonly string[]): Promise<void> => {
    const { plans, drills } = engine.config()
    for (const plan of plans.filter(({ name }) => names.includes(name))) {
      if (stop.signal.aborted) return
      const problems = await validatePlan(engine.services, plan, 'load', stop.signal)
      const all = problems.flatMap(problemsIn)
      found.set(
        plan.name,
        all.map((problem) => reasonFrom(problem, plan.name)),
      )
    }
    for (const drill of drills.filter(({ name }) => names.includes(drillId(name)))) {
      if (stop.signal.aborted) return
      const problems = await validateDrill(engine.services, drill, stop.signal)
      found.set(
        drillId(drill.name),
        problems.flatMap(problemsIn).map((problem) => reasonFrom(problem, drill.plan.name, drill.name)),
      )
    }
    const known = new Set(allNames())
    for (const name of found.keys()) if (!known.has(name)) found.delete(name)
    if (stop.signal.aborted) return
    report([...found.values()].flat())
    wait()
  }

  const allNames = (): readonly string[] => {
    const { plans, drills } = engine.config()
    return [...plans.map(({ name }) => name), ...drills.map(({ name }) => drillId(name))]
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
    start: () => enqueue(allNames),
    again: (name) => void enqueue(() => [name]),
    stop() {
      stop.abort(new Error('the daemon stops'))
      cancel?.()
    },
  }
}
