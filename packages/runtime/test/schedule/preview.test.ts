import { describe, expect, test } from 'vitest'
import { createTimetable, fireTimes, jitterOf } from '../../src/schedule/fire-times.ts'
import { preview, previewJson } from '../../src/schedule/preview.ts'

const from = new Date('2026-03-01T00:00:00Z')

describe('preview', () => {
  test('shows the next fire times, and what the next clock change does', () => {
    const [shop] = preview([{ name: 'shop', schedule: { cron: '30  2 * * *', timeZone: 'Europe/Berlin' } }], from, 2)
    expect(shop?.next.map(({ local }) => local)).toEqual(['2026-03-01 02:30 +01:00', '2026-03-02 02:30 +01:00'])
    expect(shop?.change).toEqual({
      at: new Date('2026-03-29T01:00:00Z'),
      local: '2026-03-29 03:00 +02:00',
      direction: 'forward',
      from: '+01:00',
      to: '+02:00',
      before: { at: new Date('2026-03-28T01:30:00Z'), local: '2026-03-28 02:30 +01:00' },
      after: { at: new Date('2026-03-29T01:00:00Z'), local: '2026-03-29 03:00 +02:00' },
      lost: 0,
    })
  })

  test('says how many slots a change swallows, and goes back as well as forward', () => {
    const lost = preview([{ name: 'a', schedule: { cron: '*/20 2 * * *', timeZone: 'Europe/Berlin' } }], from, 1)
    expect(lost[0]?.change).toMatchObject({ lost: 3, after: { local: '2026-03-30 02:00 +02:00' } })
    const back = preview(
      [{ name: 'a', schedule: { cron: '15 2 * * *', timeZone: 'Australia/Lord_Howe' } }],
      new Date('2026-03-20T00:00:00Z'),
      1,
    )
    expect(back[0]?.change).toMatchObject({ direction: 'back', from: '+11:00', to: '+10:30' })
  })

  test('a zone without changes has none, and a paused plan is marked', () => {
    const plans = [{ name: 'a', schedule: { cron: '@daily', timeZone: 'Asia/Kolkata', paused: true } }]
    expect(preview(plans, from, 1)).toEqual([
      {
        plan: 'a',
        cron: '@daily',
        timeZone: 'Asia/Kolkata',
        paused: true,
        next: [{ at: new Date('2026-03-01T18:30:00Z'), local: '2026-03-02 00:00 +05:30' }],
        change: undefined,
      },
    ])
  })

  test('the JSON form', () => {
    const plans = [{ name: 'a', schedule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin' } }]
    expect(previewJson(preview(plans, from, 2))).toEqual([
      {
        plan: 'a',
        cron: '0 3 * * *',
        timeZone: 'Europe/Berlin',
        next: ['2026-03-01T02:00:00.000Z', '2026-03-02T02:00:00.000Z'],
      },
    ])
  })
})

describe('jitter', () => {
  const schedule = { cron: '0 3 * * *', timeZone: 'UTC', jitter: '30m' } as const

  test('is the same in every process, within its limit, and spreads plans', () => {
    // Fixed numbers: a restart, an update or another machine must not move a plan.
    expect([jitterOf('shop', '30m'), jitterOf('mail', '30m')]).toEqual([995_000, 5_000])
    const delays = Array.from({ length: 1000 }, (_, n) => jitterOf(`plan-${n}`, '30m'))
    expect(Math.max(...delays)).toBeLessThan(30 * 60_000)
    const quarters = [0, 1, 2, 3].map(
      (quarter) => delays.filter((delay) => Math.floor(delay / 450_000) === quarter).length,
    )
    for (const count of quarters) expect(count).toBeGreaterThan(200)
  })

  test('moves every slot by the same time, whichever way one looks', () => {
    const delay = jitterOf('shop', '30m')
    const times = fireTimes(schedule, 'shop', from)
    const expected = ['2026-03-01T03:00:00Z', '2026-03-02T03:00:00Z'].map((slot) => new Date(Date.parse(slot) + delay))
    expect([times.next().value, times.next().value]).toEqual(expected)
    const timetable = createTimetable(schedule, 'shop')
    expect(timetable.previous(new Date('2026-03-02T12:00:00Z'))).toEqual(expected[1])
    expect(timetable.previous(new Date('2026-03-02T03:01:00Z'))).toEqual(expected[0])
    // The slot of today is still to come although it is past three.
    expect(timetable.next(new Date('2026-03-01T03:01:00Z'))).toEqual(expected[0])
    expect(timetable.count(from, new Date('2026-03-02T03:01:00Z'))).toBe(1)
  })
})
