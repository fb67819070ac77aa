import { expect, test } from 'vitest'
import { formatLocal, offsetAt, transitions } from '../../src/schedule/time-zone.ts'
import { wallOf } from './oracle.ts'

const hourMs = 3_600_000

test.each(['Africa/Casablanca', 'Australia/Lord_Howe', 'America/Nuuk', 'Asia/Kolkata', 'UTC'])(
  'no clock change of %s is overlooked',
  (zone) => {
    const [from, until] = [Date.UTC(2025, 0, 1), Date.UTC(2027, 0, 1)]
    const wall = wallOf(zone)
    const expected: number[] = []
    for (let at = from; at < until; at += hourMs) {
      const before = wall(at - hourMs) - (at - hourMs)
      if (wall(at) - at !== before) expected.push(at)
    }
    const found = [...transitions(zone, from, until)]
    // Lord Howe changes at half past the hour, by UTC.
    expect(found.map(({ at }) => Math.ceil(at / hourMs) * hourMs)).toEqual(expected)
    for (const { at, before, after } of found) {
      expect([offsetAt(zone, at - 1), offsetAt(zone, at)]).toEqual([before, after])
    }
  },
)

test('a moment as the clock of its zone shows it', () => {
  const at = new Date('2026-03-29T01:00:00Z')
  expect(formatLocal(at, 'Europe/Berlin')).toBe('2026-03-29 03:00 +02:00')
  expect(formatLocal(at, 'Asia/Kolkata')).toBe('2026-03-29 06:30 +05:30')
  expect(formatLocal(new Date('2026-01-01T00:00:07Z'), 'America/Santiago')).toBe('2025-12-31 21:00:07 -03:00')
})
