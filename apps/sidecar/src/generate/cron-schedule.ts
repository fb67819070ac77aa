/** A schedule as a CronJob takes it, or why there is none. */
export type CronJobSchedule = { readonly schedule: string } | { readonly reason: string }

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/**
 * A checked schedule in the words of Kubernetes, whose cron differs: it has no `L`, no `#` and no weekday 7, and a step
 * on a star is no star to it, so that a day counts when either of two fields matches.
 *
 * @param expression - five fields or a nickname, as Holdfast checked it
 */
export function cronJobSchedule(expression: string): CronJobSchedule {
  if (expression.startsWith('@')) return { schedule: expression.toLowerCase() }
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = expression
    .split(' ')
    .map((field) => (field === '?' ? '*' : field))
  const numbers = withoutNames(weekday)
  if (/[a-z#+]/i.test(day + numbers)) return { reason: 'it knows no "L" and no "#"' }
  const days = [day, weekday]
  if (days.some((field) => field.includes(',') && /[*?]/.test(field))) {
    return { reason: 'it takes a list with a star for something else' }
  }
  if (days.some(isSteppedStar) && !days.some(isStar)) {
    return { reason: 'beside a weekday or a day of the month, it takes a step on a star for something else' }
  }
  const withoutSeven = numbers.includes('7') ? spelledOut(numbers) : weekday
  return { schedule: [minute, hour, day, month, withoutSeven].join(' ') }
}

function isStar(field: string): boolean {
  return field === '*' || field === '*/1' || field === '?/1'
}

function isSteppedStar(field: string): boolean {
  return /^[*?]\//.test(field) && !isStar(field)
}

function withoutNames(weekday: string): string {
  return weekday.replaceAll(/[a-z]{3}/gi, (name) => {
    const index = weekdays.findIndex((each) => each === name.toLowerCase())
    return index === -1 ? name : String(index)
  })
}

/** `5-7` → `0,5,6`. A seven has to be spelled out: as the end of a range, a zero would turn it around. */
function spelledOut(weekday: string): string {
  const found = new Set<number>()
  for (const item of weekday.split(',')) {
    const [range = '', step = '1'] = item.split('/')
    const [from = '', to = from] = range.split('-')
    for (let each = Number(from); each <= Number(to); each += Number(step)) found.add(each % 7)
  }
  return [...found].toSorted((a, b) => a - b).join(',')
}
