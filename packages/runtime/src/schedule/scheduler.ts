import { formatDuration, type Logger } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import { createDueQueue } from './due-queue.ts'
import { takeOver, type Entry } from './entries.ts'
import { settleDue } from './misfire.ts'
import { createOverlap } from './overlap.ts'
import type { ScheduledPlan } from './preview.ts'
import type { FireSlot, MissedSlot } from './slots.ts'

/** What {@link createScheduler} needs. */
export interface SchedulerOptions {
  readonly clock: RuntimeClock
  readonly plans: readonly ScheduledPlan[]
  /**
   * The newest slot of a plan that was fired or reported as missed, also by an earlier process; `undefined` when there
   * was none. Slots after it that passed while nothing ran follow the misfire policy.
   */
  lastScheduled(plan: string): Date | undefined
  /** Runs a slot. The plan counts as running until this settles; what it rejects with is logged. */
  fire(slot: FireSlot): Promise<void>
  /** Slots that are not run, each counted exactly once. */
  missed(slot: MissedSlot): void
  readonly log: Logger
}

/** Fires plans at their slots. One timer for all of them. */
export interface Scheduler {
  /** From now on slots are fired. To be called once, after recovery and booting. */
  start(): void
  /**
   * Takes over a changed configuration. Runs go on, and so do plans that did not change; a new or changed schedule counts
   * from now, and a plan that is gone is not fired again.
   *
   * @throws HoldfastError `CRON_INVALID`, `CRON_NEVER`, `TIME_ZONE_UNKNOWN`; then nothing was changed
   */
  update(plans: readonly ScheduledPlan[]): void
  /** Slots of this plan are counted as `paused` from now on. What runs goes on. */
  pause(plan: string): void
  resume(plan: string): void
  /** Fires nothing more. Resolves when the running fires have settled; it doesn't abort them. */
  stop(): Promise<void>
  /** When the plan fires next; `undefined` when it is paused, unknown, or the scheduler was stopped. */
  next(plan: string): Date | undefined
  /** The plans that are running. */
  running(): readonly string[]
}

// The wall clock is looked at this often, so that jumps and suspends are noticed (fault F17).
const recheckMs = 30_000
// Smaller steps are what time synchronisation does all the time.
const driftMs = 1000
// A fired slot that is further ahead than this was fired by a clock that was wrong: waiting for it to pass would mean no
// backups until then.
const furthestAheadMs = 24 * 3_600_000
// Work is done in slices of this length, so that runs get their turn between a thousand fires.
const sliceMs = 20

/**
 * Makes a scheduler; nothing is fired before `start()`.
 *
 * @throws HoldfastError `CRON_INVALID`, `CRON_NEVER`, `TIME_ZONE_UNKNOWN`
 */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { clock, log } = options
  const queue = createDueQueue<{ entry: Entry; at: number }>()
  /** Entries whose next slot is to be computed. */
  const open = new Set<Entry>()
  let { entries } = takeOver(new Map(), options.plans)
  let state: 'new' | 'started' | 'stopped' = 'new'
  let cancelTimer: (() => void) | undefined
  let wall = 0
  let monotonic = 0
  /** The last jump forward. */
  let leap = { from: 0, to: 0 }

  const report = (missed: MissedSlot): void => {
    guard('counting a missed slot failed', () => options.missed(missed))
  }
  const overlap = createOverlap({ fire: (slot) => options.fire(slot), missed: report, log })

  function guard<T>(what: string, body: () => T): T | undefined {
    try {
      return body()
    } catch (error) {
      log.error(what, { error })
      return undefined
    }
  }

  function wake(): void {
    if (state !== 'started') return
    const drift = readClock()
    if (drift >= driftMs) leapForward(drift)
    if (drift <= -driftMs) leapBack(drift)
    const began = clock.monotonic()
    const spent = (): boolean => clock.monotonic() - began > sliceMs
    fireDue(spent)
    for (const entry of open) {
      if (spent()) break
      open.delete(entry)
      computeNext(entry)
    }
    arm()
  }

  /** How much the wall clock moved against the monotonic one since the last look. */
  function readClock(): number {
    const before = wall - monotonic
    wall = clock.now().getTime()
    monotonic = clock.monotonic()
    return wall - monotonic - before
  }

  function arm(): void {
    cancelTimer?.()
    const earliest = open.size > 0 ? wall : (queue.earliest ?? Infinity)
    const wait = Math.max(0, earliest - clock.now().getTime())
    cancelTimer = clock.setTimer(Math.min(wait, recheckMs), wake)
  }

  // What was passed over is due now.
  function leapForward(drift: number): void {
    warnOfJump(drift)
    leap = { from: wall - drift, to: wall }
  }

  // Every slot is looked for again.
  function leapBack(drift: number): void {
    warnOfJump(drift)
    queue.clear()
    for (const entry of entries.values()) countFrom(entry, trusted(entry.last))
  }

  function warnOfJump(drift: number): void {
    const direction = drift > 0 ? 'forward' : 'back'
    const { code, message, hint } = errors.CLOCK_JUMPED({ by: formatDuration(Math.abs(drift)), direction })
    log.warn(message, { code, hint })
  }

  function trusted(last: number | undefined): number | undefined {
    return last !== undefined && last - wall > furthestAheadMs ? undefined : last
  }

  function countFrom(entry: Entry, last: number | undefined): void {
    entry.last = last
    entry.from = Math.max(wall, last ?? wall)
    entry.next = undefined
    open.add(entry)
  }

  function computeNext(entry: Entry): void {
    if (entries.get(entry.name) !== entry || entry.from === undefined) return
    entry.next = entry.timetable.next(new Date(entry.from))?.getTime()
    if (entry.next !== undefined) queue.add(entry.next, { entry, at: entry.next })
  }

  function fireDue(spent: () => boolean): void {
    while (queue.earliest !== undefined && queue.earliest <= wall && !spent()) {
      const due = queue.take()
      // Left over from before a jump or a changed schedule.
      if (due === undefined || due.entry.next !== due.at || entries.get(due.entry.name) !== due.entry) continue
      due.entry.next = undefined
      open.add(due.entry)
      pass(due.entry, due.at)
    }
  }

  function pass(entry: Entry, first: number): void {
    const { name: plan, timetable, schedule, paused, from = first } = entry
    const reason = first > leap.from && first <= leap.to ? 'clock' : 'down'
    const { newest, missed, fire } = settleDue({ plan, timetable, schedule, paused, from, first, now: wall, reason })
    for (const slots of missed) report(slots)
    entry.from = newest
    if (!fire) return
    entry.last = newest
    overlap.submit(fire, schedule.overlap)
  }

  return {
    start() {
      if (state !== 'new') return
      state = 'started'
      readClock()
      let ahead = 0
      for (const entry of entries.values()) {
        const found = guard(`when plan "${entry.name}" last ran can't be read`, () => options.lastScheduled(entry.name))
        const last = trusted(found?.getTime())
        if (found && last === undefined) ahead = Math.max(ahead, found.getTime() - wall)
        countFrom(entry, last)
        // What passed since then is due now.
        entry.from = last ?? wall
      }
      if (ahead > 0) warnOfJump(-ahead)
      wake()
    },
    update(plans) {
      // What is due by the old configuration is still fired by it.
      wake()
      const taken = takeOver(entries, plans)
      entries = taken.entries
      for (const plan of taken.gone) overlap.dropWaiting(plan, 'overlap')
      for (const plan of taken.nowPaused) overlap.dropWaiting(plan, 'paused')
      if (state !== 'started') return
      for (const entry of taken.changed) countFrom(entry, trusted(entry.last))
      wake()
    },
    pause(plan) {
      const entry = entries.get(plan)
      if (!entry) return
      entry.paused = true
      overlap.dropWaiting(plan, 'paused')
    },
    resume(plan) {
      const entry = entries.get(plan)
      if (entry) entry.paused = false
    },
    async stop() {
      state = 'stopped'
      cancelTimer?.()
      await overlap.close()
    },
    next(plan) {
      const entry = entries.get(plan)
      if (!entry || entry.paused || state === 'stopped') return undefined
      if (entry.next !== undefined) return new Date(entry.next)
      return entry.timetable.next(new Date(entry.from ?? clock.now()))
    },
    running: () => overlap.running(),
  }
}
