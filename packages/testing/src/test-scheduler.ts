import { createScheduler, type Engine, type MissedSlot, type RunResult, type Scheduler } from '@holdfast/runtime'
import { parseDuration, type Duration } from '@holdfast/sdk'
import type { TestClock } from './test-clock.ts'

/** How {@link TestScheduler.advanceTo} lets time pass. */
export interface AdvanceToOptions {
  /** While something runs: per two milliseconds of real time. Default `'1s'`; larger for what waits for hours. */
  readonly step?: Duration | undefined
}

/** The plan's schedule, on the injected clock. It begins with the first call of `advanceTo`. */
export interface TestScheduler {
  /** When the plan runs next; `undefined`: never, or it has no schedule. */
  readonly next: Date | undefined
  /** Slots that were not run, and why. */
  readonly missed: readonly MissedSlot[]
  /**
   * Lets time pass until then; whatever is due meanwhile runs, at its own time. Runs that need no more time have ended when
   * it resolves, others still run.
   *
   * @param time - a time that is not yet over
   * @returns the runs that ended meanwhile
   * @throws TypeError when the plan has no schedule, or the time is over
   */
  advanceTo(time: Date | string, options?: AdvanceToOptions): Promise<readonly RunResult[]>
}

interface CreateTestSchedulerOptions {
  readonly clock: TestClock
  readonly engine: () => Engine
}

// Taken before a test can replace it by a fake one.
const { setTimeout } = globalThis
/** How long a run may work without needing time: in turns of two milliseconds, so that it is longer on a busy machine. */
const patience = 1000

/** Makes a {@link TestScheduler}; `stop` waits for nothing that still runs. */
export function createTestScheduler({
  clock,
  engine,
}: CreateTestSchedulerOptions): TestScheduler & { stop(): Promise<void> } {
  const missed: MissedSlot[] = []
  const running = new Set<Promise<unknown>>()
  let ended: RunResult[] = []
  let scheduler: Scheduler | undefined

  const scheduled = () =>
    engine()
      .config()
      .plans.flatMap(({ name, schedule }) => (schedule ? [{ name, schedule }] : []))
  const make = (): Scheduler =>
    createScheduler({
      clock,
      plans: scheduled(),
      lastScheduled: () => undefined,
      async fire({ plan, scheduledFor, trigger, signal }) {
        const run = engine().run(plan, { scheduledFor, trigger, signal })
        running.add(run)
        try {
          ended.push(await run)
        } finally {
          running.delete(run)
        }
      },
      missed(slot) {
        missed.push(slot)
        engine().recordSkip(slot.plan, slot.scheduledFor, slot.reason)
      },
      log: engine().services.log,
    })
  const nameOf = (): string => scheduled()[0]?.name ?? ''

  return {
    missed,
    get next() {
      return (scheduler ?? make()).next(nameOf())
    },
    async advanceTo(time, { step = '1s' } = {}) {
      const until = new Date(time).getTime()
      const left = (): number => until - clock.now().getTime()
      if (scheduled().length === 0) throw new TypeError('the plan has no schedule: give createTestRun plan.schedule')
      if (Number.isNaN(until)) throw new TypeError(`${String(time)} is not a time`)
      if (left() < 0) throw new TypeError(`${String(time)} is over: it is ${clock.now().toISOString()}`)
      if (!scheduler) {
        scheduler = make()
        scheduler.start()
      }
      ended = []
      const advance = async (to: number): Promise<void> => {
        if (to > clock.now().getTime()) await clock.advance(to - clock.now().getTime())
      }
      while (left() > 0) {
        if (running.size === 0) {
          await advance(Math.min(until, scheduler.next(nameOf())?.getTime() ?? until))
        } else {
          await realTime()
          if (running.size > 0) await advance(Math.min(until, clock.now().getTime() + parseDuration(step)))
        }
        // What fired has to show itself as running before more time passes.
        await clock.advance(0)
      }
      for (let turn = 0; running.size > 0 && turn < patience; turn += 1) await realTime()
      return ended
    },
    async stop() {
      // Runs are the engine's, which ends them; a hook that hangs would never let this settle.
      void scheduler?.stop()
    },
  }
}

function realTime(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2))
}
