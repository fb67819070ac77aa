// What a schedule means, told minute by minute and as slowly as it takes: no search, no arithmetic on dates, no Croner.
import { expect } from 'vitest'

const minuteMs = 60_000

interface OracleField {
  readonly values: ReadonlySet<number>
  readonly star: boolean
  readonly wild: boolean
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const days = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

function parseField(text: string, low: number, high: number, names: readonly string[] = [], first = 0): OracleField {
  const number = (word: string): number => {
    const named = names.indexOf(word.toUpperCase())
    return named === -1 ? Number(word) : named + first
  }
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const [range = '', step = '1'] = part.split('/')
    const [from = '', to = from] = range === '*' ? [String(low), String(high)] : range.split('-')
    for (let value = number(from); value <= number(to); value += Number(step)) values.add(value)
  }
  return { values, star: text.startsWith('*'), wild: /[*/]/.test(text) }
}

/** The slots of an expression in `(from, until]`, for expressions of numbers, names, lists, ranges and steps. */
export function oracle(expression: string, wall: Wall, from: number, until: number): number[] {
  const [minute = '', hour = '', dayOfMonth = '', month = '', weekday = ''] = expression.split(/\s+/)
  const m = parseField(minute, 0, 59)
  const h = parseField(hour, 0, 23)
  const dom = parseField(dayOfMonth, 1, 31)
  const mon = parseField(month, 1, 12, months, 1)
  const dow = parseField(weekday, 0, 7, days)
  const isFixed = !m.wild && !h.wild

  // A stamp is what the wall shows, written as if it were UTC.
  const matches = (stamp: number): boolean => {
    const minuteOfDay = (stamp / minuteMs) % 1440
    if (!m.values.has(minuteOfDay % 60) || !h.values.has(Math.floor(minuteOfDay / 60))) return false
    const date = new Date(stamp)
    if (!mon.values.has(date.getUTCMonth() + 1)) return false
    const onDay = dom.values.has(date.getUTCDate())
    const onWeekday = dow.values.has(date.getUTCDay()) || (date.getUTCDay() === 0 && dow.values.has(7))
    // vixie cron: with a star at the beginning of one of them both must match, else one is enough.
    return dom.star || dow.star ? onDay && onWeekday : onDay || onWeekday
  }

  const slots: number[] = []
  // What was fired already: a fixed time runs the first time only.
  const fired = new Set<number>()
  let before = wall(from - 1440 * minuteMs)
  for (let instant = from - 1439 * minuteMs; instant <= until; instant += minuteMs) {
    const now = wall(instant)
    let runs = matches(now) && !fired.has(now)
    if (isFixed) {
      if (runs) fired.add(now)
      // Minutes that were left out between the last one and this one; a whole missing day is nobody's.
      const isGap = now - before < 720 * minuteMs
      for (let stamp = before + minuteMs; isGap && stamp < now; stamp += minuteMs) runs ||= matches(stamp)
    }
    if (runs && instant > from) slots.push(instant)
    before = now
  }
  return slots
}

/** What the clock on a wall shows at an instant, written as if it were UTC. */
export type Wall = (instant: number) => number

const walls = new Map<string, Wall>()

/** The clock on a wall of a zone, asked anew for each quarter of an hour: no zone of today changes at other times. */
export function wallOf(zone: string): Wall {
  const known = walls.get(zone)
  if (known) return known
  const format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  const quarter = 15 * minuteMs
  const offsets = new Map<number, number>()
  const wall: Wall = (instant) => {
    const start = Math.floor(instant / quarter) * quarter
    let offset = offsets.get(start)
    if (offset === undefined) {
      const match = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/.exec(format.format(start))
      expect(match).not.toBeNull()
      const [, day, month, year, hour, minute, second] = (match ?? []).map(Number)
      offset = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second) - start
      offsets.set(start, offset)
    }
    return instant + offset
  }
  walls.set(zone, wall)
  return wall
}
