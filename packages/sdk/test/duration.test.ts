import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, isDuration, parseDuration, type Duration } from '../src/index.ts'

describe('durations', () => {
  test.each([
    [0, 0],
    [1500, 1500],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['6h', 21_600_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
  ] as const)('%s is %d ms', (text, ms) => {
    expect(parseDuration(text as Duration)).toBe(ms)
  })

  test.each(['', '5', '5 m', '-5m', '5M', 'm', '1e3s', '5m ', NaN, Infinity, -1, null, {}, '9'.repeat(400) + 'd'])(
    '%j is refused with a hint',
    (text) => {
      expect(isDuration(text)).toBe(false)
      expect(() => parseDuration(text as Duration)).toThrow(/is not a duration.*'5m'/)
    },
  )

  test('any number with any unit is that many of it', () => {
    const units = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 }
    fc.assert(
      fc.property(fc.nat(1e6), fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])), (count, unit) => {
        expect(parseDuration(`${count}${unit}`)).toBe(count * units[unit])
      }),
    )
  })

  test.each([
    [12, '12 ms'],
    [1234, '1.2 s'],
    [59_990, '1m'],
    [61_000, '1m 1s'],
    [3_600_000, '1h'],
    [5_430_000, '1h 30m'],
    [90_061_000, '1d 1h'],
  ])('%d ms reads %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})
