// What a person may tell a daemon to do while it runs, with the same locks as the commands.
import {
  errors as runtimeErrors,
  type Engine,
  type RunResult,
  type Scheduler,
  type RuntimeClock,
} from '@holdfast/runtime'
import type { Logger, RunStatus } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { assertPausable } from '../plans.ts'
import { keepPauses, type KeptPauses } from './pauses.ts'
import type { StatusKeeper } from './status.ts'

/** What a person may tell a daemon. */
export interface Actions {
  /**
   * Runs a plan now, and doesn't wait for its end.
   *
   * @returns the id of the run, where it began within a moment, and how it ended if it has
   * @throws HoldfastError `PLAN_UNKNOWN`, `PLAN_BUSY`, `DAEMON_…`, `API_STANDBY`
   */
  run(
    plan: string,
    targets?: readonly string[],
  ): Promise<{ readonly run: string | undefined; readonly ended: RunStatus | undefined }>
  /**
   * From now on slots of this plan pass, until it is resumed: also when the daemon starts anew meanwhile.
   *
   * @throws HoldfastError `PLAN_UNKNOWN`, `API_UNSCHEDULED`, `API_PAUSED`, `DAEMON_…`, `API_STANDBY`, `PAUSE_UNWRITTEN`
   */
  pause(plan: string): void
  /** Throws as {@link Actions.pause}. */
  resume(plan: string): void
  /**
   * Gives back what is pending.
   *
   * @returns `running`: it takes longer than anybody waits
   * @throws HoldfastError `UNDO_NOT_PENDING`, `UNDO_OWNED`, the undo's own, `DAEMON_…`, `API_STANDBY`
   */
  undo(id: string): Promise<'done' | 'running'>
}

/** What is done by hand. */
export interface ByHand extends Actions {
  readonly pauses: KeptPauses
}

/** What {@link createByHand} needs. */
export interface ByHandOptions {
  readonly engine: Engine
  readonly clock: Pick<RuntimeClock, 'setTimer'>
  readonly log: Pick<Logger, 'warn' | 'info'>
  readonly status: Pick<StatusKeeper, 'reasons' | 'role' | 'changed'>
  scheduler(): Pick<Scheduler, 'pause' | 'resume'> | undefined
  /** Whether a plan runs here. */
  isRunning(plan: string): boolean
  /** Runs a plan as one of the daemon's own. */
  run(plan: string, options: { targets: readonly string[] | undefined; begins(id: string): void }): Promise<RunResult>
}

/** Before these are over nothing is done by hand. */
const passing: ReadonlySet<string> = new Set([
  errors.DAEMON_STARTING.code,
  errors.DAEMON_WAITING.code,
  errors.DAEMON_STOPPING.code,
])
/** Until a run has begun. */
const beginMs = 5000
/** Until an undo has run: a connection lasts no longer than 30 s. */
const undoMs = 20_000

/** What was paused before is paused still. */
export function createByHand(options: ByHandOptions): ByHand {
  const { engine, clock, log, status, scheduler, isRunning } = options
  const pauses = keepPauses({ engine, clock, log, scheduler, changed: () => status.changed() })

  /** @throws HoldfastError `DAEMON_…`, `API_STANDBY` */
  const assertUp = (): void => {
    const passes = status.reasons().find(({ code }) => passing.has(code))
    if (passes?.code === errors.DAEMON_STOPPING.code) throw errors.DAEMON_STOPPING({})
    if (passes) throw errors.DAEMON_STARTING({})
    const role = status.role()
    if (role?.role === 'standby') throw errors.API_STANDBY({ leader: role.leader ?? 'another pod, or nobody yet,' })
  }

  /** Somebody who is told at once need not find a run on record that never was. */
  const assertFree = (plan: string): void => {
    const lock = isRunning(plan) ? undefined : engine.locks.tryAcquire(`plan-${plan}`, `process ${process.pid}`)
    if (!lock) throw runtimeErrors.PLAN_BUSY({ plan })
    lock.release()
  }

  const within = async <T>(ms: number, work: Promise<T>): Promise<T | undefined> => {
    const enough = Promise.withResolvers<undefined>()
    const cancel = clock.setTimer(ms, () => enough.resolve(undefined))
    try {
      return await Promise.race([work, enough.promise])
    } finally {
      cancel()
    }
  }

  return {
    async run(plan, targets) {
      assertUp()
      engine.plan(plan)
      assertFree(plan)
      const begun = Promise.withResolvers<string>()
      const result = options.run(plan, { targets, begins: begun.resolve })
      const first = await within(beginMs, Promise.race([begun.promise, result]))
      if (first === undefined || typeof first === 'string') {
        // How it ends is in the journal and the log.
        result.catch(() => {})
        return { run: first, ended: undefined }
      }
      const { run, outcome } = first
      if (outcome.status === 'skipped' && outcome.reason === 'busy') throw runtimeErrors.PLAN_BUSY({ plan })
      return { run: run.id, ended: outcome.status }
    },
    pause(plan) {
      assertUp()
      assertPausable(engine.plan(plan))
      pauses.set(plan, true)
    },
    resume(plan) {
      assertUp()
      assertPausable(engine.plan(plan))
      pauses.set(plan, false)
    },
    async undo(id) {
      assertUp()
      const found = engine.journal.pendingUndos().find((undo) => undo.id === id)
      const name = found?.undo ?? engine.services.strayUndos.get(id)
      if (name === undefined) throw errors.UNDO_NOT_PENDING({ undo: id })
      const owned = (): Error => errors.UNDO_OWNED({ undo: name, run: found?.run ?? 'of another pod' })
      if (engine.services.heldUndos.has(id)) throw owned()
      const work = engine.runUndos({ only: [id] })
      const results = await within(undoMs, work)
      if (!results) {
        work.catch(() => {})
        return 'running'
      }
      const [first] = results
      if (!first || first.result === 'done') return 'done'
      throw first.error ?? owned()
    },
    pauses,
  }
}
