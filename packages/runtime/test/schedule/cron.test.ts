import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { parseCron } from '../../src/schedule/cron.ts'
import { resolveTimeZone, unknownTimeZone } from '../../src/schedule/time-zone.ts'

function refusal(body: () => unknown): HoldfastError {
  try {
    body()
  } catch (error) {
    if (isHoldfastError(error)) return error
    throw error
  }
  throw new Error('nothing was refused')
}

function slots(expression: string, from: string, count: number, zone = 'UTC'): string[] {
  const cron = parseCron(expression, zone)
  const found: string[] = []
  let at: Date | undefined = new Date(from)
  while (found.length < count && (at = cron.next(at))) found.push(at.toISOString().slice(0, 16).replace('T', ' '))
  return found
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('parseCron', () => {
  test.each([
    ['@hourly', '0 * * * *'],
    ['@daily', '0 0 * * *'],
    ['@midnight', '0 0 * * *'],
    ['@weekly', '0 0 * * 0'],
    ['@monthly', '0 0 1 * *'],
    ['@yearly', '0 0 1 1 *'],
    ['@annually', '0 0 1 1 *'],
    ['@Daily', '0 0 * * *'],
    ['  15   3 * *  * ', '15 3 * * *'],
    ['10 02 * * 00', '10 2 * * 0'],
    ['0\t3 * * *', '0 3 * * *'],
    ['0 3 * JAN,mar Mon-fri', '0 3 * 1,3 1-5'],
    ['0 3 * * 7', '0 3 * * 0'],
    ['0 3 * * 5-7', '0 3 * * 5,6,0'],
    ['0 3 ? * ?', '0 3 * * *'],
  ])('%j means %j', (expression, meaning) => {
    expect(slots(expression, '2026-01-01T00:00:00Z', 40)).toEqual(slots(meaning, '2026-01-01T00:00:00Z', 40))
  })

  test.each([
    ['61 * * * *', /minute "61" is not allowed/, /0-59/],
    ['0 24 * * *', /hour "24" is not allowed/, /0-23/],
    ['0 0 32 * *', /day of the month "32"/, /1-31/],
    ['0 0 0 * *', /day of the month "0"/, /1-31/],
    ['0 0 * 13 *', /month "13"/, /JAN-DEC/],
    ['0 0 * FOO *', /month "FOO"/, /JAN-DEC/],
    ['0 0 * * 8', /weekday "8"/, /0 and 7 are Sunday/],
    ['0 0 * * MONDAY', /weekday "MONDAY"/, /SUN-SAT/],
    ['*/0 * * * *', /minute "\*\/0"/, /0-59/],
    ['5/15 * * * *', /minute "5\/15"/, /Write 5-59\/15/],
    ['1,,2 * * * *', /minute "1,,2"/, /0-59/],
    ['9-1 * * * *', /minute "9-1"/, /0-59/],
    ['', /it is empty/, /five fields/],
    ['   ', /it is empty/, /five fields/],
    ['0 3 * *', /it has 4 fields/, /five fields/],
    ['0 0 * * * 2024 1', /it has 7 fields/, /five fields/],
    ['0 3 *\n* *', /line break/, /five fields/],
    ['2026-01-01T00:00:00', /looks like a time or a date/, /five fields/],
    ['03:00', /looks like a time or a date/, /five fields/],
    ['@reboot', /@reboot is not a time/, /says nothing about when a backup is due/],
    ['@every 5m', /nickname is not known/, /@hourly, @daily/],
    ['@daily x', /nickname is not known/, /@hourly, @daily/],
  ])('%j is refused', (expression, message, hint) => {
    const error = refusal(() => parseCron(expression, 'UTC'))
    expect(error.code).toBe('CRON_INVALID')
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('\n')
    expect(error.hint).toMatch(hint)
  })

  test('sidefridge F16: what is accepted is what runs, and six fields are refused', () => {
    const error = refusal(() => parseCron('*/5 * * * * *', 'UTC'))
    expect(error.code).toBe('CRON_INVALID')
    expect(error.message).toContain('it has six fields')
    expect(error.hint).toMatch(/Seconds are not supported.*BusyBox crond would have taken the sixth as the beginning/)
    // What croniter accepted and BusyBox crond did not understand.
    expect(slots('@daily', '2026-01-01T12:00:00Z', 1)).toEqual(['2026-01-02 00:00'])
    expect(slots('0 3 L * *', '2026-02-01T00:00:00Z', 2)).toEqual(['2026-02-28 03:00', '2026-03-31 03:00'])
    expect(slots('0 3 * * 1#1', '2026-02-01T00:00:00Z', 2)).toEqual(['2026-02-02 03:00', '2026-03-02 03:00'])
  })
})

describe('fault F18: rare days and the rule of two day fields', () => {
  test.each(['0 0 31 2 *', '0 0 30 2 *', '0 0 31 4,6,9,11 *', '0 0 30,31 FEB *'])(
    '%j never fires and is refused',
    (expression) => {
      const error = refusal(() => parseCron(expression, 'UTC'))
      expect(error.code).toBe('CRON_NEVER')
      expect(error.message).toContain(expression)
    },
  )

  test('29 February comes in leap years only', () => {
    expect(slots('0 3 29 2 *', '2026-01-01T00:00:00Z', 3)).toEqual([
      '2028-02-29 03:00',
      '2032-02-29 03:00',
      '2036-02-29 03:00',
    ])
    expect(slots('0 3 29 2 *', '2096-03-01T00:00:00Z', 1)).toEqual(['2104-02-29 03:00'])
  })

  test.each([
    // Both fields given: either one is enough.
    ['0 0 13 * 5', ['02-06', '02-13', '02-20', '02-27', '03-06']],
    ['0 0 13 * 1-2', ['02-02', '02-03', '02-09', '02-10', '02-13']],
    // One of them begins with a star: both must match.
    ['0 0 */2 * 1', ['02-09', '02-23', '03-09', '03-23', '04-13']],
    ['0 0 1-31/2 * 1', ['02-01', '02-02', '02-03', '02-05', '02-07']],
    ['0 0 13 * */2', ['06-13', '08-13', '09-13', '10-13', '12-13']],
    ['0 0 * * 1', ['02-02', '02-09', '02-16', '02-23', '03-02']],
  ])('%j as vixie cron has it', (expression, expected) => {
    const days = slots(expression, '2026-01-31T12:00:00Z', 5).map((slot) => slot.slice(5, 10))
    expect(days).toEqual(expected)
  })

  test('an expression with a day of the month and a weekday fires although the day never comes', () => {
    expect(slots('0 0 31 2 1', '2026-02-01T00:00:00Z', 2)).toEqual(['2026-02-02 00:00', '2026-02-09 00:00'])
  })
})

describe('fault F21: time zones', () => {
  test('an unknown zone is refused with its name, and a near one is offered', () => {
    const error = refusal(() => parseCron('0 3 * * *', 'Europe/Berln'))
    expect(error.code).toBe('TIME_ZONE_UNKNOWN')
    expect(error.message).toContain('"Europe/Berln"')
    expect(error.hint).toContain('Did you mean "Europe/Berlin"?')
    expect(refusal(() => parseCron('0 3 * * *', 'Berlin')).hint).toContain('Did you mean "Europe/Berlin"?')
    expect(refusal(() => parseCron('0 3 * * *', 'Mars/Olympus_Mons')).hint).not.toContain('Did you mean')
  })

  test('a machine without time zone data says so', () => {
    expect(unknownTimeZone('Europe/Berlin', []).hint).toContain('no time zone data (tzdata)')
  })

  test('the default is TZ, else UTC; a TZ that is no zone is refused too', () => {
    vi.stubEnv('TZ', 'Asia/Kolkata')
    expect(parseCron('0 3 * * *').timeZone).toBe('Asia/Kolkata')
    vi.stubEnv('TZ', 'Nowhere/Land')
    expect(refusal(() => parseCron('0 3 * * *')).message).toContain('"Nowhere/Land"')
    expect(parseCron('0 3 * * *', 'UTC').timeZone).toBe('UTC')
    expect(resolveTimeZone(undefined, {})).toBe('UTC')
    expect(resolveTimeZone(undefined, { TZ: '' })).toBe('UTC')
    expect(resolveTimeZone(undefined, { TZ: ':Europe/Berlin' })).toBe('Europe/Berlin')
  })
})

test('where clocks go forward over midnight, the slot of the evening is the first moment of the next day', () => {
  const cron = parseCron('30 23 * * *', 'America/Nuuk')
  const around = ['2026-03-28T01:30:00Z', '2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z'].map((slot) => new Date(slot))
  expect([cron.next(new Date('2026-03-28T12:00:00Z')), cron.next(around[1] ?? new Date())]).toEqual(around.slice(1))
  expect([cron.previous(around[2] ?? new Date()), cron.previous(around[1] ?? new Date())]).toEqual([
    around[1],
    around[0],
  ])
  expect(cron.lost(new Date('2026-03-28T12:00:00Z'), new Date('2026-03-30T12:00:00Z'))).toEqual([])
})

describe('gaps between slots', () => {
  const hour = 3_600_000
  test.each([
    ['*/5 * * * *', hour / 12],
    ['0,50 * * * *', (hour / 60) * 50],
    ['0 3 * * *', 24 * hour],
    ['0 3,4 * * *', 23 * hour],
    ['0 3 * * 1', 7 * 24 * hour],
    ['0 8-18 * * MON-FRI', 62 * hour],
    ['0 3 1 * *', 31 * 24 * hour],
    ['0 3 29 2 *', 1461 * 24 * hour],
  ])('%j: the longest', (expression, expected) => {
    expect(parseCron(expression, 'UTC').longestGapMs).toBe(expected)
  })

  test('the slot itself is neither after nor before itself', () => {
    const cron = parseCron('0 3 * * *', 'Europe/Berlin')
    const slot = new Date('2026-05-01T01:00:00Z')
    expect(cron.next(new Date(slot.getTime() - 1))).toEqual(slot)
    expect(cron.previous(new Date(slot.getTime() + 1))).toEqual(slot)
    expect(cron.next(slot)).toEqual(new Date('2026-05-02T01:00:00Z'))
    expect(cron.previous(slot)).toEqual(new Date('2026-04-30T01:00:00Z'))
    expect(cron.count(slot, slot)).toBe(0)
    expect(cron.count(new Date(slot.getTime() - 1), slot)).toBe(1)
  })
})
