// Counting slots without visiting each: on the wall every matching day has the same minutes.
import { CronPattern } from 'croner'
import type { CronSyntax } from './cron-syntax.ts'
import { cronerOptions, engineOf } from './engine.ts'
import { offsetAt, transitions } from './time-zone.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

interface Countable {
  readonly syntax: CronSyntax
  readonly zone: string
  next(after: Date): Date | undefined
}

/** Slots in `(after, until]`. Around a clock change they are visited one by one, elsewhere counted. */
export function countSlots(cron: Countable, after: number, until: number): number {
  const { syntax, zone } = cron
  const counted = (from: number, to: number): number => {
    if (to <= from) return 0
    const offset = offsetAt(zone, from)
    return countWallSlots(syntax, from + offset, to + offset)
  }
  let total = 0
  let cursor = after
  for (const change of transitions(zone, after - 2 * dayMs, until + 2 * dayMs)) {
    const reach = Math.abs(change.after - change.before) + minuteMs
    const from = Math.max(cursor, Math.min(until, change.at - reach))
    const to = Math.min(until, change.at + reach)
    if (to <= cursor) continue
    total += counted(cursor, from) + visited(cron, from, to)
    cursor = to
  }
  return total + counted(cursor, until)
}

function visited(cron: Countable, after: number, until: number): number {
  let count = 0
  for (let at = cron.next(new Date(after)); at !== undefined && at.getTime() <= until; at = cron.next(at)) count += 1
  return count
}

/** Slots in `(from, to]` on a clock that never changes; both are wall-clock times written as if they were UTC. */
export function countWallSlots(syntax: CronSyntax, from: number, to: number): number {
  if (to <= from) return 0
  const minutes = minutesOfDay(syntax)
  const firstDay = Math.floor(from / dayMs)
  const lastDay = Math.floor(to / dayMs)
  const until = (instant: number): number => minutes.filter((minute) => minute <= instant - dayOf(instant)).length
  const onFirst = countDays(syntax, firstDay, firstDay)
  if (firstDay === lastDay) return onFirst * (until(to) - until(from))
  const between = countDays(syntax, firstDay + 1, lastDay - 1) * minutes.length
  return onFirst * (minutes.length - until(from)) + between + countDays(syntax, lastDay, lastDay) * until(to)
}

/** The longest time between two slots on a clock that never changes, in milliseconds, from 2024 to 2028. */
export function longestGap(syntax: CronSyntax): number {
  const minutes = minutesOfDay(syntax)
  const [first = 0] = minutes
  const last = minutes.at(-1) ?? first
  const withinDay = minutes.map((minute, index) => minute - (minutes[index - 1] ?? minute))
  return Math.max(...withinDay, longestDayGap(syntax) - last + first)
}

function longestDayGap(syntax: CronSyntax): number {
  if (syntax.everyDay) return dayMs
  const engine = engineOf(syntax.days, 'UTC')
  // From a leap year on, so that a 29 February is in it; rarer days are looked for further on.
  const start = Date.UTC(2024, 0, 1)
  const enough = syntax.weekly ? 14 * dayMs : 5 * 366 * dayMs
  let longest = 0
  let last: Date | undefined
  for (let at = engine.nextRun(new Date(start - 1)); at !== null; at = engine.nextRun(at)) {
    if (last) longest = Math.max(longest, at.getTime() - last.getTime())
    if (longest > 0 && at.getTime() - start > enough) break
    last = at
  }
  return longest
}

function countDays(syntax: CronSyntax, first: number, last: number): number {
  if (last < first) return 0
  if (syntax.everyDay) return last - first + 1
  const engine = engineOf(syntax.days, 'UTC')
  let count = 0
  let day = engine.nextRun(new Date(first * dayMs - 1))
  for (; day !== null && day.getTime() <= last * dayMs; day = engine.nextRun(day)) count += 1
  return count
}

/** The slots of a day in milliseconds after midnight, ascending. */
function minutesOfDay(syntax: CronSyntax): readonly number[] {
  const { hour, minute } = new CronPattern(syntax.pattern, 'UTC', cronerOptions)
  return hour.flatMap((inHour, h) =>
    inHour ? minute.flatMap((inMinute, m) => (inMinute ? [(h * 60 + m) * minuteMs] : [])) : [],
  )
}

function dayOf(instant: number): number {
  return Math.floor(instant / dayMs) * dayMs
}
