/** What restore points are sorted into. */
export type Category = 'hours' | 'days' | 'weeks' | 'months' | 'years'

/** What the clock on the wall shows, as if it were UTC: milliseconds since 1970. */
export type LocalTime = (instant: Date) => number

/**
 * The clock on the wall of a time zone.
 *
 * @param timeZone - IANA name. Default: the process's
 * @throws RangeError for an unknown zone
 */
export function createLocalTime(timeZone?: string): LocalTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (instant) => {
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second)
  }
}

/**
 * How many hours, days, … ago something was on the wall's clock, counted by the hours, days, … that began since: 0 is the
 * current one. Weeks begin on Monday.
 *
 * @param then - wall time, see {@link createLocalTime}
 * @param now - wall time; when a clock change makes it the earlier one, that counts as 0
 */
export function bucketIndex(category: Category, then: number, now: number): number {
  return Math.max(0, bucket(category, now) - bucket(category, then))
}

const hour = 3_600_000
const day = 24 * hour

function bucket(category: Category, wall: number): number {
  const date = new Date(wall)
  switch (category) {
    case 'hours':
      return Math.floor(wall / hour)
    case 'days':
      return Math.floor(wall / day)
    case 'weeks':
      // 1970 began on a Thursday, three days after a Monday.
      return Math.floor((wall / day + 3) / 7)
    case 'months':
      return date.getUTCFullYear() * 12 + date.getUTCMonth()
    case 'years':
      return date.getUTCFullYear()
  }
}
