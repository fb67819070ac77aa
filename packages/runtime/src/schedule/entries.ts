import type { Schedule } from '@holdfast/sdk'
import { createTimetable, type Timetable } from './fire-times.ts'
import type { ScheduledPlan } from './preview.ts'

/** A plan in the scheduler. Times are milliseconds since 1970. */
export interface Entry {
  readonly name: string
  readonly timetable: Timetable
  schedule: Schedule
  paused: boolean
  /** Slots up to here are dealt with; `undefined` before the start. */
  from: number | undefined
  /** The newest slot that was fired: it is never fired again, wherever the clock jumps. */
  last: number | undefined
  /** `undefined`: not computed yet, or none. */
  next: number | undefined
}

/** A configuration that was taken over. */
export interface TakenOver {
  readonly entries: ReadonlyMap<string, Entry>
  /** New plans, and plans that fire at other times than before. */
  readonly changed: readonly Entry[]
  /** Plans whose waiting slots are not wanted any more. */
  readonly gone: readonly string[]
  readonly nowPaused: readonly string[]
}

/**
 * The entries of a changed configuration: those of plans that fire as before are kept.
 *
 * @throws HoldfastError `CRON_INVALID`, `CRON_NEVER`, `TIME_ZONE_UNKNOWN`; then no entry was touched
 */
export function takeOver(before: ReadonlyMap<string, Entry>, plans: readonly ScheduledPlan[]): TakenOver {
  const entries = new Map<string, Entry>()
  const changed: Entry[] = []
  for (const { name, schedule } of plans) {
    const old = before.get(name)
    if (old && firesAlike(old.schedule, schedule)) {
      entries.set(name, old)
      continue
    }
    const timetable = createTimetable(schedule, name)
    const { paused = false, last } = old ?? {}
    const entry = {
      name,
      timetable,
      schedule: old?.schedule ?? schedule,
      paused,
      last,
      from: undefined,
      next: undefined,
    }
    entries.set(name, entry)
    changed.push(entry)
  }
  const nowPaused: string[] = []
  for (const { name, schedule } of plans) {
    const entry = entries.get(name)
    if (!entry) continue
    const isPaused = schedule.paused ?? false
    // What was paused by hand stays so until the configuration itself says otherwise.
    if (!before.has(name) || isPaused !== (entry.schedule.paused ?? false)) {
      entry.paused = isPaused
      if (isPaused) nowPaused.push(name)
    }
    entry.schedule = schedule
  }
  const gone = [...before.keys()].filter((name) => !entries.has(name))
  return { entries, changed, gone, nowPaused }
}

function firesAlike(a: Schedule, b: Schedule): boolean {
  return a.cron === b.cron && a.timeZone === b.timeZone && a.jitter === b.jitter
}
