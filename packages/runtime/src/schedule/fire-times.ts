import { createHash } from 'node:crypto'
import { parseDuration, type Duration, type Schedule } from '@holdfast/sdk'
import { parseCron, type Cron, type LostSlots } from './cron.ts'

/** When a plan fires: its cron expression, moved by its jitter. Everything is a pure function of schedule and name. */
export interface Timetable extends Omit<Cron, 'expression' | 'timeZone' | 'longestGapMs'> {
  readonly cron: Cron
  /** How much later than its cron slot the plan fires, in milliseconds. */
  readonly jitterMs: number
}

/**
 * The timetable of a plan.
 *
 * @throws HoldfastError `CRON_INVALID`, `CRON_NEVER`, `TIME_ZONE_UNKNOWN`
 */
export function createTimetable(schedule: Schedule, planName: string): Timetable {
  const cron = parseCron(schedule.cron, schedule.timeZone)
  const jitterMs = jitterOf(planName, schedule.jitter)
  const earlier = (instant: Date): Date => new Date(instant.getTime() - jitterMs)
  const later = (instant: Date | undefined): Date | undefined => instant && new Date(instant.getTime() + jitterMs)
  return {
    cron,
    jitterMs,
    next: (after) => later(cron.next(earlier(after))),
    previous: (before) => later(cron.previous(earlier(before))),
    count: (after, until) => cron.count(earlier(after), earlier(until)),
    lost: (after, until) =>
      cron
        .lost(earlier(after), earlier(until))
        .map(({ at, count }): LostSlots => ({ at: new Date(at.getTime() + jitterMs), count })),
  }
}

/**
 * The times at which a plan fires after an instant, in order, without end (but for expressions that stop firing).
 *
 * @throws HoldfastError `CRON_INVALID`, `CRON_NEVER`, `TIME_ZONE_UNKNOWN`
 */
export function* fireTimes(schedule: Schedule, planName: string, from: Date): Generator<Date, void> {
  const timetable = createTimetable(schedule, planName)
  for (let at = timetable.next(from); at !== undefined; at = timetable.next(at)) yield at
}

/**
 * A plan's delay within `jitter`, in whole seconds: from a hash of its name, so every process and every restart has the
 * same.
 *
 * @returns milliseconds
 */
export function jitterOf(planName: string, jitter: Duration | undefined): number {
  if (jitter === undefined) return 0
  const fraction = createHash('sha256').update(planName).digest().readUIntBE(0, 6) / 2 ** 48
  return Math.floor((fraction * parseDuration(jitter)) / 1000) * 1000
}
