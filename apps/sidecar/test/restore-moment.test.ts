import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatMoment, parseMoment, zoneOf } from '../src/restore/moment.ts'

const zones = ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/St_Johns', 'America/Santiago']
const seconds = fc
  .integer({ min: Date.UTC(1995, 0, 1) / 1000, max: Date.UTC(2040, 0, 1) / 1000 })
  .map((second) => new Date(second * 1000))

describe('a moment', () => {
  test.each([
    ['2026-11-20T03:00', 'UTC', '2026-11-20T03:00:00.000Z'],
    ['2026-11-20 03:00', 'Europe/Berlin', '2026-11-20T02:00:00.000Z'],
    ['2026-07-20T03:00:30', 'Europe/Berlin', '2026-07-20T01:00:30.000Z'],
    ['2026-11-20', 'Europe/Berlin', '2026-11-19T23:00:00.000Z'],
    ['2026-11-20T03:00Z', 'Europe/Berlin', '2026-11-20T03:00:00.000Z'],
    ['2026-11-20T03:00:00.123Z', 'Europe/Berlin', '2026-11-20T03:00:00.123Z'],
    ['2026-11-20T03:00+05:30', 'Europe/Berlin', '2026-11-19T21:30:00.000Z'],
    ['2026-11-20T03:00 -0330', 'Europe/Berlin', '2026-11-20T06:30:00.000Z'],
    // Twice: the first.
    ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
    ['2026-04-05T01:45', 'Australia/Lord_Howe', '2026-04-04T14:45:00.000Z'],
    // Left out: as if the clocks had not been changed yet.
    ['2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
    ['2026-09-06T00:30', 'America/Santiago', '2026-09-06T04:30:00.000Z'],
  ])('%s in %s', (text, zone, instant) => {
    expect(parseMoment(text, zone).toISOString()).toBe(instant)
  })

  test.each([
    'yesterday',
    '',
    '2026-11',
    '20.11.2026',
    '2026-02-30',
    '2026-13-01T00:00',
    '2026-11-20T24:00',
    '2026-11-20T03',
    '2026-11-20T03:00 Europe/Berlin',
  ])('%j is none', (text) => {
    expect(() => parseMoment(text, 'UTC')).toThrow(`--at can't be "${text}"`)
  })
})

test('what is shown can be asked for: it is that moment, or an hour that the clocks showed twice', () => {
  fc.assert(
    fc.property(seconds, fc.constantFrom(...zones), (at, zone) => {
      const shown = formatMoment(at, zone)
      const found = parseMoment(shown, zone)
      expect(formatMoment(found, zone)).toBe(shown)
      expect(found.getTime()).toBeLessThanOrEqual(at.getTime())
      expect([0, 30, 60]).toContain((at.getTime() - found.getTime()) / 60_000)
    }),
    { numRuns: 300 },
  )
})

test('a zone that nobody knows is refused, with the one that was meant', () => {
  expect(() => zoneOf('Berlin')).toThrow(`--time-zone can't be "Berlin"`)
  expect(zoneOf('Europe/Berlin')).toBe('Europe/Berlin')
  expect(zoneOf(undefined)).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone)
})
