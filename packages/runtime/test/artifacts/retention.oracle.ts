// The rules read aloud, without an idea of speed: what retention.ts is compared with.
import type { RestorePoint, Retention } from '@holdfast/sdk'

/** Ids of the points that go, sorted. */
export function slowRetention(
  points: readonly RestorePoint[],
  retention: Retention,
  now: Date,
  timeZone: string,
): string[] {
  const gone: string[] = []
  for (const target of new Set(points.map((point) => point.target))) {
    const judged = points.filter(
      (point) => point.target === target && point.state === 'valid' && point.createdAt <= now,
    )
    if (Object.keys(retention).length === 0 || !judged.some((point) => point.verifiedAt)) continue
    let rest = newestFirst(judged)
    const newestVerified = rest.find((point) => point.verifiedAt)
    rest = rest.slice(retention.latest ?? 0)
    const buckets: Record<string, RestorePoint[]> = {}
    for (const point of rest) {
      const place = (['hours', 'days', 'weeks', 'months', 'years'] as const)
        .filter((category) => retention[category] !== undefined)
        .map((category) => ({ category, index: stepsBetween(category, point.createdAt, now, timeZone) }))
        .find(({ category, index }) => index <= retention[category]!)
      const bucket = place ? `${place.category} ${place.index}` : 'dismissed'
      ;(buckets[bucket] ??= []).push(point)
    }
    for (const [bucket, members] of Object.entries(buckets)) {
      const stays = bucket === 'dismissed' ? undefined : newestFirst(members).at(-1)
      gone.push(...members.filter((point) => point !== stays && point !== newestVerified).map(({ id }) => id))
    }
  }
  return gone.toSorted()
}

function newestFirst(points: readonly RestorePoint[]): RestorePoint[] {
  return points.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1))
}

/** Counts the beginnings of hours, days, … on the wall's clock that lie between, one by one where that is bearable. */
function stepsBetween(
  category: 'hours' | 'days' | 'weeks' | 'months' | 'years',
  then: Date,
  now: Date,
  timeZone: string,
): number {
  const [a, b] = [wall(then, timeZone), wall(now, timeZone)]
  if (category === 'years') return Math.max(0, b.year - a.year)
  if (category === 'months') return Math.max(0, (b.year - a.year) * 12 + b.month - a.month)
  if (category === 'hours') return Math.max(0, daysBetween(a, b) * 24 + b.hour - a.hour)
  if (category === 'days') return Math.max(0, daysBetween(a, b))
  // Back to Monday, then in sevens.
  return Math.max(0, Math.round((daysBetween(a, b) + a.weekday - b.weekday) / 7))
}

interface Wall {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  /** Monday is 0. */
  readonly weekday: number
}

function wall(instant: Date, timeZone: string): Wall {
  const text = instant.toLocaleString('sv-SE', { timeZone })
  const [, year, month, day, hour] = /^(\d+)-(\d+)-(\d+) (\d+)/.exec(text)!.map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const name = instant.toLocaleDateString('en-US', { timeZone, weekday: 'short' })
  return { year, month, day, hour, weekday: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].indexOf(name) }
}

function daysBetween(a: Wall, b: Wall): number {
  const lengths = (year: number): number[] => [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  const dayOfYear = ({ year, month, day }: Wall): number =>
    lengths(year)
      .slice(0, month - 1)
      .reduce((sum, length) => sum + length, day)
  let days = dayOfYear(b) - dayOfYear(a)
  for (let year = a.year; year < b.year; year++) days += isLeap(year) ? 366 : 365
  for (let year = b.year; year < a.year; year++) days -= isLeap(year) ? 366 : 365
  return days
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}
