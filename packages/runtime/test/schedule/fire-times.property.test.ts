import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isHoldfastError } from '@holdfast/sdk'
import { parseCron } from '../../src/schedule/cron.ts'
import { transitions } from '../../src/schedule/time-zone.ts'
import { expressions, nightly } from './arbitraries.ts'
import { oracle, wallOf } from './oracle.ts'

const isLong = process.env['HOLDFAST_TEST_LONG'] !== undefined
const patience = isLong ? 600_000 : 20_000
const dayMs = 86_400_000
const hourMs = 3_600_000

// Half an hour (Lord Howe), midnight (Santiago, Nuuk over midnight, Cairo), twice around Ramadan (Casablanca), none
// (Kolkata), and the date line (Apia, 2011).
const zones = [
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'America/Santiago',
  'Africa/Casablanca',
  'America/Nuuk',
  'Africa/Cairo',
  'Pacific/Apia',
] as const

const years = { from: Date.UTC(2000, 0, 1), to: Date.UTC(2050, 0, 1) }
const changes = zones.flatMap((zone) => {
  const found = [...transitions(zone, years.from, years.to)].map(({ at }) => at)
  return (found.length > 0 ? found : [Date.UTC(2026, 2, 29)]).map((at) => ({ zone, at }))
})

function slotsOf(expression: string, zone: string, from: number, until: number): number[] {
  const cron = parseCron(expression, zone)
  const slots: number[] = []
  for (let at = cron.next(new Date(from)); at && at.getTime() <= until; at = cron.next(at)) slots.push(at.getTime())
  return slots
}

function compare(expression: string, zone: string, from: number, until: number): number[] {
  const expected = oracle(expression, wallOf(zone), from, until)
  const iso = (slots: readonly number[]): string[] => slots.map((slot) => new Date(slot).toISOString())
  expect(iso(slotsOf(expression, zone, from, until))).toEqual(iso(expected))
  return expected
}

// What never fires is refused; that is another test's.
function skipNever(body: () => void): void {
  try {
    body()
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'CRON_NEVER') throw error
  }
}

describe('fault F16: fire times are what a clock on the wall says, minute by minute', () => {
  const around = fc.tuple(
    fc.constantFrom(...changes),
    fc.integer({ min: -14, max: 2 }),
    fc.integer({ min: 0, max: 59_999 }),
  )

  test(
    'around clock changes',
    () => {
      fc.assert(
        fc.property(fc.oneof(expressions, nightly), around, (expression, [{ zone, at }, hours, ms]) => {
          skipNever(() => {
            const from = Math.floor(at / 60_000) * 60_000 + hours * hourMs
            compare(expression, zone, from, from + 16 * hourMs)
            // The moment from which one looks need not be a whole minute.
            expect(slotsOf(expression, zone, from + ms, from + 3 * hourMs)).toEqual(
              oracle(expression, wallOf(zone), from, from + 3 * hourMs).filter((slot) => slot > from + ms),
            )
          })
        }),
        { numRuns: isLong ? 5000 : 200 },
      )
    },
    patience,
  )

  test(
    'backwards, and counted without visiting each',
    () => {
      fc.assert(
        fc.property(fc.oneof(expressions, nightly), around, (expression, [{ zone, at }, hours, ms]) => {
          skipNever(() => {
            const from = Math.floor(at / 60_000) * 60_000 + hours * hourMs
            const until = from + 16 * hourMs
            const expected = oracle(expression, wallOf(zone), from, until)
            const cron = parseCron(expression, zone)
            const backwards: number[] = []
            for (
              let slot = cron.previous(new Date(until + 1));
              slot && slot.getTime() > from;
              slot = cron.previous(slot)
            ) {
              backwards.unshift(slot.getTime())
            }
            expect(backwards).toEqual(expected)
            expect(cron.count(new Date(from), new Date(until))).toBe(expected.length)
            expect(cron.count(new Date(from + ms), new Date(until))).toBe(
              expected.filter((slot) => slot > from + ms).length,
            )
          })
        }),
        { numRuns: isLong ? 5000 : 100 },
      )
    },
    patience,
  )

  test(
    'no two slots are further apart than the longest gap',
    () => {
      fc.assert(
        fc.property(fc.oneof(expressions, nightly), fc.integer({ min: 0, max: 1800 }), (expression, day) => {
          skipNever(() => {
            const cron = parseCron(expression, 'UTC')
            const end = Date.UTC(2028, 11, 31)
            let last = cron.next(new Date(Date.UTC(2024, 0, 1) + day * dayMs))
            for (let n = 0; n < 50 && last; n += 1) {
              const next = cron.next(last)
              if (next && next.getTime() < end)
                expect(next.getTime() - last.getTime()).toBeLessThanOrEqual(cron.longestGapMs)
              last = next
            }
          })
        }),
        { numRuns: isLong ? 2000 : 40 },
      )
    },
    patience,
  )

  test.each(zones)('a daily run happens exactly once a day across every change in %s', (zone) => {
    const wall = wallOf(zone)
    const ofZone = changes.filter((change) => change.zone === zone).map(({ at }) => at)
    const picked = isLong ? ofZone : ofZone.slice(0, 30)
    for (const at of picked) {
      for (const [minute, hour] of [
        [0, 0],
        [30, 0],
        [15, 1],
        [0, 2],
        [30, 2],
        [15, 2],
        [0, 3],
        [30, 23],
        [59, 23],
      ] as const) {
        const from = Math.floor((at - 3 * dayMs) / 60_000) * 60_000
        const slots = slotsOf(`${minute} ${hour} * * *`, zone, from, from + 7 * dayMs)
        // Never two in less than 22 hours, never none for more than 26.
        const gaps = slots.slice(1).map((slot, index) => (slot - (slots[index] ?? 0)) / hourMs)
        const stamps = slots.map((slot) => wall(slot))
        expect(new Set(stamps).size).toBe(stamps.length)
        for (const gap of gaps) {
          expect(gap).toBeGreaterThanOrEqual(22)
          expect(gap).toBeLessThanOrEqual(26)
        }
      }
    }
  })

  test.runIf(isLong).each(zones)(
    'fifty years in %s',
    (zone) => {
      for (const expression of [
        '30 2 * * *',
        '0,30 1-3 * * *',
        '0 0 * * 0',
        '59 23 * * *',
        '0 */6 * * *',
        '15 2 29 2 *',
      ]) {
        compare(expression, zone, years.from, years.to)
      }
    },
    patience,
  )
})
