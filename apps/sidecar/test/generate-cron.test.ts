import * as fc from 'fast-check'
import { parseCron } from '@holdfast/runtime'
import { isHoldfastError } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { cronJobSchedule } from '../src/generate/cron-schedule.ts'

/** One field as the CronJob controller reads it: its values, and whether it counts as a star. */
function readField(field: string, low: number, high: number): { readonly values: Set<number>; readonly star: boolean } {
  const values = new Set<number>()
  let star = false
  for (const item of field.split(',')) {
    const [range = '', step = '1'] = item.split('/')
    const isStar = range === '*'
    const [from = '', to = from] = isStar ? [`${low}`, `${high}`] : range.split('-')
    const [start, end, each] = [Number(from), Number(to), Number(step)]
    if (![start, end, each].every(Number.isInteger) || start < low || end > high || start > end || each < 1) {
      throw new Error(`"${item}" is refused`)
    }
    // A step makes a star one range among others.
    if (isStar && each === 1) star = true
    for (let value = start; value <= end; value += each) values.add(value)
  }
  return { values, star }
}

/** Whether the CronJob controller starts a Job in a minute (UTC). */
function controllerStarts(schedule: string, at: Date): boolean {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = schedule.split(' ')
  const days = readField(day, 1, 31)
  const weekdays = readField(weekday, 0, 6)
  const matches = [days.values.has(at.getUTCDate()), weekdays.values.has(at.getUTCDay())]
  return (
    readField(minute, 0, 59).values.has(at.getUTCMinutes()) &&
    readField(hour, 0, 23).values.has(at.getUTCHours()) &&
    readField(month, 1, 12).values.has(at.getUTCMonth() + 1) &&
    (days.star || weekdays.star ? matches.every(Boolean) : matches.some(Boolean))
  )
}

test.for([
  ['0 3 * * *', '0 3 * * *'],
  ['@Daily', '@daily'],
  ['0 3 ? * 7', '0 3 * * 0'],
  ['0 3 * * 5-7', '0 3 * * 0,5,6'],
  ['0 3 * * 1-7/2', '0 3 * * 0,1,3,5'],
  ['0 3 * JAN-MAR MON-FRI', '0 3 * JAN-MAR MON-FRI'],
  ['0 3 * * FRI-7', '0 3 * * 0,5,6'],
  ['*/5 * * * *', '*/5 * * * *'],
] as const)('%s becomes %s', ([given, expected]) => {
  expect(cronJobSchedule(given)).toEqual({ schedule: expected })
})

test.for(['0 3 L * *', '0 3 * * 5#2', '0 3 */2 * 1', '0 3 1 * */2', '0 3 1,* * 1'])(
  '%s has no equal in Kubernetes, and is refused',
  (given) => {
    expect(cronJobSchedule(given)).toHaveProperty('reason')
  },
)

test('a CronJob starts in the minutes in which the daemon would run', () => {
  const number = (low: number, high: number): fc.Arbitrary<string> => fc.integer({ min: low, max: high }).map(String)
  const field = (low: number, high: number): fc.Arbitrary<string> => {
    const range = fc.tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high }))
    const ordered = range.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)
    const stepped = fc.tuple(ordered, number(1, 4)).map(([words, step]) => `${words}/${step}`)
    const item = fc.oneof(number(low, high), ordered, stepped)
    const list = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','))
    return fc.oneof(
      fc.constant('*'),
      list,
      number(1, 4).map((step) => `*/${step}`),
    )
  }
  const expression = fc
    .tuple(fc.constantFrom('0', '30'), fc.constantFrom('0', '12', '*/6'), field(1, 28), field(1, 12), field(0, 7))
    .map((fields) => fields.join(' '))
  let compared = 0
  fc.assert(
    fc.property(expression, (cron) => {
      const converted = cronJobSchedule(cron)
      if ('reason' in converted) return
      let daemon: ReturnType<typeof parseCron>
      try {
        daemon = parseCron(cron, 'UTC')
      } catch (error) {
        if (!isHoldfastError(error)) throw error
        return
      }
      compared++
      const start = Date.UTC(2026, 0, 1)
      const halfHours = Array.from({ length: 2 * 24 * 70 }, (_, index) => new Date(start + index * 1_800_000))
      const last = halfHours.at(-1) ?? new Date(start)
      const expected: string[] = []
      for (let at = daemon.next(new Date(start - 1)); at && at <= last; at = daemon.next(at))
        expected.push(at.toISOString())
      const started = halfHours.filter((at) => controllerStarts(converted.schedule, at)).map((at) => at.toISOString())
      expect(started).toEqual(expected)
    }),
    { numRuns: process.env['HOLDFAST_TEST_LONG'] ? 2_000 : 50 },
  )
  expect(compared).toBeGreaterThan(10)
})
