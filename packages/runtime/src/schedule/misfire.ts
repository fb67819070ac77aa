import type { Schedule } from '@holdfast/sdk'
import type { Timetable } from './fire-times.ts'
import type { FireSlot, MissedReason, MissedSlot, Slot } from './slots.ts'

/** Slots of one plan whose time has come. */
export interface DueSlots {
  readonly plan: string
  readonly timetable: Timetable
  readonly schedule: Schedule
  readonly paused: boolean
  /** What was dealt with before, in milliseconds since 1970. */
  readonly from: number
  /** The oldest that is due. */
  readonly first: number
  readonly now: number
  /** Why those that come too late were missed. */
  readonly reason: MissedReason
}

/** What becomes of due slots. */
export interface Settled {
  /** The newest due slot: everything up to it is dealt with. */
  readonly newest: number
  readonly missed: readonly MissedSlot[]
  /** At most one is run, however many are due. */
  readonly fire: (Slot & Pick<FireSlot, 'trigger'>) | undefined
}

// Later than this a slot was missed; what is younger is on time, as cron has it too.
const onTimeMs = 60_000

/** The misfire policy: which of the due slots is run, and how the others are counted. */
export function settleDue({ plan, timetable, schedule, paused, from, first, now, reason }: DueSlots): Settled {
  const isLate = now - first >= onTimeMs
  const newest = (isLate && timetable.previous(new Date(now + 1))?.getTime()) || first
  const older = newest > first ? timetable.count(new Date(first - 1), new Date(newest - 1)) : 0
  const scheduledFor = new Date(newest)

  const missed: MissedSlot[] = timetable
    .lost(new Date(from), scheduledFor)
    .map(({ at, count }) => ({ plan, scheduledFor: at, reason: 'dst_gap', count }))
  const isOnTime = now - newest < onTimeMs
  if (paused || (!isOnTime && schedule.misfire !== 'run-once')) {
    missed.push({ plan, scheduledFor, reason: paused ? 'paused' : reason, count: older + 1 })
    return { newest, missed, fire: undefined }
  }
  if (older > 0) {
    missed.push({ plan, scheduledFor: timetable.previous(scheduledFor) ?? scheduledFor, reason, count: older })
  }
  return { newest, missed, fire: { plan, scheduledFor, trigger: isOnTime ? 'schedule' : 'catch-up' } }
}
