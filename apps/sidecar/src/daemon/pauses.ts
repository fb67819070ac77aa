// What is paused by hand, as the daemon knows it: the journal has it, and `holdfast pause` writes there, too.
import type { Logger } from '@holdfast/sdk'
import { reasonOf, type Engine, type FormerPauses, type RuntimeClock, type Scheduler } from '@holdfast/runtime'
import { errors } from '../errors.ts'

/** The plans that are paused by hand. */
export interface KeptPauses {
  /**
   * Since when a plan is paused by hand; `undefined`: it is not, or this daemon does not schedule, and has heard of nothing
   * that another one was told.
   */
  since(plan: string): Date | undefined
  all(): ReadonlyMap<string, Date>
  /** @throws HoldfastError `PAUSE_UNWRITTEN` */
  set(plan: string, isPaused: boolean): void
  /** Looks whether somebody has paused or resumed anything meanwhile. */
  look(): void
  /** Takes over what the leader before was told. */
  inherit(former: FormerPauses): void
  /** A configuration came into force: a plan that is gone is forgotten. */
  configured(): void
  /** Looks now and then, and says what is paused: nobody shall find out from a backup that is missing. @returns stops it */
  start(): () => void
}

/** What {@link keepPauses} needs. */
export interface KeepPausesOptions {
  readonly engine: Pick<Engine, 'config' | 'journal'>
  readonly clock: Pick<RuntimeClock, 'setTimer'>
  readonly log: Pick<Logger, 'warn' | 'info'>
  scheduler(): Pick<Scheduler, 'pause' | 'resume'> | undefined
  /** Something is paused, or not any more. */
  changed(): void
}

/** So soon a plan that was resumed by a command runs again. */
const lookMs = 5000

/** Reads them from the journal. */
export function keepPauses({ engine, clock, log, scheduler, changed }: KeepPausesOptions): KeptPauses {
  const { pauses } = engine.journal
  let known: ReadonlyMap<string, Date> = new Map()
  let isUnreadable = false
  let isScheduling = false

  /** What the journal can't say stays as it was. */
  const attempt = (what: string, work: () => void): void => {
    try {
      work()
      isUnreadable = false
    } catch (error) {
      if (!isUnreadable) log.warn(`${what}: ${reasonOf(error)}`, { error })
      isUnreadable = true
    }
  }

  const take = (now: ReadonlyMap<string, Date>): void => {
    const before = known
    known = now
    const paused = [...now.keys()].filter((plan) => !before.has(plan))
    const resumed = [...before.keys()].filter((plan) => !now.has(plan))
    if (paused.length === 0 && resumed.length === 0) return
    for (const plan of paused) scheduler()?.pause(plan)
    for (const plan of resumed) if (!isPausedByConfiguration(plan)) scheduler()?.resume(plan)
    changed()
  }

  const isPausedByConfiguration = (name: string): boolean =>
    engine.config().plans.find((plan) => plan.name === name)?.schedule?.paused ?? false

  const look = (): void => attempt('what is paused by hand could not be read', () => take(pauses.all()))

  /** A new scheduler knows nothing, and a changed configuration may have told it otherwise. */
  const apply = (): void => {
    for (const plan of known.keys()) scheduler()?.pause(plan)
  }

  return {
    since: (plan) => (isScheduling ? known.get(plan) : undefined),
    all: () => known,
    set(plan, isPaused) {
      try {
        pauses.set(plan, isPaused)
      } catch (error) {
        throw errors.PAUSE_UNWRITTEN({ plan, reason: reasonOf(error) }, { cause: error })
      }
      look()
    },
    look,
    inherit(former) {
      attempt('what the leader before was told to pause could not be written down', () => pauses.inherit(former))
      look()
    },
    configured() {
      attempt('plans that are gone could not be forgotten', () =>
        pauses.keepOnly(engine.config().plans.map(({ name }) => name)),
      )
      look()
      apply()
    },
    start() {
      isScheduling = true
      look()
      apply()
      for (const [plan, since] of known) {
        log.warn(`plan "${plan}" is paused by hand: nothing is backed up until it is resumed`, { plan, since })
      }
      let cancel: (() => void) | undefined
      const again = (): void => {
        cancel = clock.setTimer(lookMs, () => {
          look()
          again()
        })
      }
      again()
      return () => {
        isScheduling = false
        cancel?.()
      }
    },
  }
}
