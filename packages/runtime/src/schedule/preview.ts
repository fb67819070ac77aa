import type { Schedule } from '@holdfast/sdk'
import { createTimetable, type Timetable } from './fire-times.ts'
import { formatLocal, formatOffset, transitions } from './time-zone.ts'

/** One time at which a plan will fire. */
export interface PreviewSlot {
  readonly at: Date
  /** As the plan's zone shows it: `2026-03-29 03:00 +02:00`. */
  readonly local: string
}

/** A change of the clocks in a plan's zone, and what the plan does around it. */
export interface PreviewChange {
  readonly at: Date
  /** `2026-03-29 03:00 +02:00`: what the clocks show from then on. */
  readonly local: string
  readonly direction: 'forward' | 'back'
  /** Offsets from UTC: `+01:00` and `+02:00`. */
  readonly from: string
  readonly to: string
  /** The last slot before the change and the first after it, also beyond the slots of `next`. */
  readonly before: PreviewSlot | undefined
  readonly after: PreviewSlot | undefined
  /** Slots that the change swallows. */
  readonly lost: number
}

/** What a plan's schedule will do. */
export interface PlanPreview {
  readonly plan: string
  readonly cron: string
  readonly timeZone: string
  readonly paused: boolean
  readonly next: readonly PreviewSlot[]
  /** The zone's next clock change; `undefined` where there is none within two years. */
  readonly change: PreviewChange | undefined
}

/** A plan as the schedule sees it. */
export interface ScheduledPlan {
  readonly name: string
  readonly schedule: Schedule
}

const horizonMs = 2 * 366 * 86_400_000

/**
 * The next fire times of each plan, and what happens at the next clock change of its zone.
 *
 * @param count - fire times per plan
 * @throws HoldfastError `CRON_INVALID`, `CRON_NEVER`, `TIME_ZONE_UNKNOWN`
 */
export function preview(plans: readonly ScheduledPlan[], from: Date, count: number): readonly PlanPreview[] {
  return plans.map(({ name, schedule }) => {
    const timetable = createTimetable(schedule, name)
    const { expression: cron, timeZone } = timetable.cron
    const next: PreviewSlot[] = []
    for (let at = timetable.next(from); at !== undefined && next.length < count; at = timetable.next(at)) {
      next.push(slot(at, timeZone))
    }
    const change = nextChange(timetable, from)
    return { plan: name, cron, timeZone, paused: schedule.paused ?? false, next, change }
  })
}

/** The form of `holdfast schedule --json`. */
export function previewJson(
  previews: readonly PlanPreview[],
): { plan: string; cron: string; timeZone: string; next: string[] }[] {
  return previews.map(({ plan, cron, timeZone, next }) => ({
    plan,
    cron,
    timeZone,
    next: next.map(({ at }) => at.toISOString()),
  }))
}

function nextChange(timetable: Timetable, from: Date): PreviewChange | undefined {
  const zone = timetable.cron.timeZone
  const [change] = transitions(zone, from.getTime(), from.getTime() + horizonMs)
  if (change === undefined) return undefined
  const at = new Date(change.at)
  const justBefore = new Date(change.at - 1)
  const before = timetable.previous(at)
  const after = timetable.next(justBefore)
  return {
    at,
    local: formatLocal(at, zone),
    direction: change.after > change.before ? 'forward' : 'back',
    from: formatOffset(change.before),
    to: formatOffset(change.after),
    // The last slot may have been before the preview begins.
    before: before && before > from ? slot(before, zone) : undefined,
    after: after && slot(after, zone),
    lost: timetable.cron.lost(justBefore, at).reduce((sum, lost) => sum + lost.count, 0),
  }
}

function slot(at: Date, zone: string): PreviewSlot {
  return { at, local: formatLocal(at, zone) }
}
