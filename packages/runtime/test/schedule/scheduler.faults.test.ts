import { describe, expect, test } from 'vitest'
import { testClock } from '@holdfast/testing'
import { harness, plansOf } from './harness.ts'

const hourly = { cron: '0 * * * *', timeZone: 'UTC' } as const
const daily = { cron: '0 3 * * *', timeZone: 'UTC' } as const
const hourMs = 3_600_000
const dayMs = 24 * hourMs

describe('fault F13: overlapping runs', () => {
  const long = { now: '2026-05-01T10:59:00Z', run: sleepFor('150m') } as const

  test('skip (the default): the slot is counted and the run goes on', async () => {
    const { clock, scheduler, fired, missed, most } = harness({ ...long, schedule: hourly })
    scheduler.start()
    await clock.advance('5h')
    expect(fired).toEqual(['05-01 11:00', '05-01 14:00'])
    expect(missed).toEqual(['overlap 05-01 12:00', 'overlap 05-01 13:00', 'overlap 05-01 15:00'])
    expect(most()).toBe(1)
  })

  test('queue: at most one waits, the newest, and fires as soon as the run ends', async () => {
    const { clock, scheduler, fired, missed, most } = harness({ ...long, schedule: { ...hourly, overlap: 'queue' } })
    scheduler.start()
    await clock.advance('150m')
    expect({ fired, missed }).toEqual({ fired: ['05-01 11:00'], missed: ['overlap 05-01 12:00'] })
    await clock.advance('1m')
    expect(fired).toEqual(['05-01 11:00', '05-01 13:00'])
    expect(most()).toBe(1)
  })

  test('replace: the run is aborted, waited for, and then the slot fires', async () => {
    const reasons: string[] = []
    const { clock, scheduler, fired, missed, most } = harness({
      now: '2026-05-01T10:59:00Z',
      schedule: { ...hourly, overlap: 'replace' },
      run: async ({ signal }, { sleep }) => {
        await sleep('5h', signal).catch((error: unknown) => reasons.push(String(error)))
        // Giving back takes its time.
        await sleep('5m')
      },
    })
    scheduler.start()
    await clock.advance('64m')
    expect(fired).toEqual(['05-01 11:00'])
    await clock.advance('2m')
    expect(fired).toEqual(['05-01 11:00', '05-01 12:00'])
    expect(reasons).toEqual([expect.stringContaining('the run scheduled for 2026-05-01T12:00:00.000Z replaces it')])
    expect({ missed, most: most() }).toEqual({ missed: [], most: 1 })
  })

  test('sidefridge F15: a line that still runs is skipped and said so; what was missed is caught up where asked', async () => {
    const overlapping = harness({ ...long, schedule: hourly })
    overlapping.scheduler.start()
    await overlapping.clock.advance('2h')
    expect(overlapping.missed).toEqual(['overlap 05-01 12:00'])

    const down = harness({
      now: '2026-05-01T08:00:00Z',
      schedule: { ...daily, misfire: 'run-once' },
      last: { shop: '2026-04-29T03:00:00Z' },
    })
    down.scheduler.start()
    await down.clock.advance(0)
    expect({ fired: down.fired, missed: down.missed }).toEqual({
      fired: ['05-01 03:00 catch-up'],
      missed: ['down 04-30 03:00'],
    })
  })
})

describe('fault F16: clock changes', () => {
  test('a slot in the gap runs once after it; a slot that happens twice runs once', async () => {
    const spring = harness({ now: '2026-03-28T12:00:00Z', schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' } })
    spring.scheduler.start()
    await spring.clock.advance('2d')
    expect(spring.fired).toEqual(['03-29 01:00', '03-30 00:30'])

    const autumn = harness({ now: '2026-10-24T12:00:00Z', schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' } })
    autumn.scheduler.start()
    await autumn.clock.advance('2d')
    expect(autumn.fired).toEqual(['10-25 00:30', '10-26 01:30'])
    expect([...spring.missed, ...autumn.missed]).toEqual([])
  })

  test('slots with steps that the gap swallows are counted', async () => {
    const { clock, scheduler, fired, missed } = harness({
      now: '2026-03-28T23:30:00Z',
      plans: {
        step: { cron: '0 */2 * * *', timeZone: 'Europe/Berlin' },
        window: { cron: '*/20 2 * * *', timeZone: 'Europe/Berlin' },
        rhythm: { cron: '*/30 * * * *', timeZone: 'Europe/Berlin' },
      },
    })
    scheduler.start()
    await clock.advance('25h')
    expect(missed).toEqual(['dst_gap step 03-29 01:00', 'dst_gap window 03-29 01:00 ×3'])
    expect(fired.filter((slot) => slot.startsWith('step')).slice(0, 2)).toEqual([
      'step 03-29 02:00',
      'step 03-29 04:00',
    ])
    // Every half hour is every half hour, clocks or not.
    expect(fired.filter((slot) => slot.startsWith('rhythm'))).toHaveLength(50)
  })

  test('where clocks go forward over midnight, the evening still gets its run', async () => {
    const { clock, scheduler, fired } = harness({
      now: '2026-03-27T12:00:00Z',
      schedule: { cron: '30 23 * * *', timeZone: 'America/Nuuk' },
    })
    scheduler.start()
    await clock.advance('3d')
    expect(fired).toEqual(['03-28 01:30', '03-29 01:00', '03-30 00:30'])
  })
})

describe('fault F17: the clock jumps, the machine sleeps', () => {
  test('forward by an hour: the slot is counted, no burst', async () => {
    const { clock, scheduler, fired, missed, logged } = harness({ now: '2026-05-01T10:30:00Z', schedule: hourly })
    scheduler.start()
    await clock.advance('5m')
    clock.jump(hourMs)
    await clock.advance('30s')
    expect({ fired, missed, logged }).toEqual({ fired: [], missed: ['clock 05-01 11:00'], logged: ['CLOCK_JUMPED'] })
    await clock.advance('1h')
    expect(fired).toEqual(['05-01 12:00'])
  })

  test('forward over a slot by a moment: the slot is still on time', async () => {
    const { clock, scheduler, fired, missed } = harness({ now: '2026-05-01T10:59:50Z', schedule: hourly })
    scheduler.start()
    clock.jump(30_000)
    await clock.advance('30s')
    expect({ fired, missed }).toEqual({ fired: ['05-01 11:00'], missed: [] })
  })

  test.each(['skip', 'run-once'] as const)(
    'a suspend of eight hours, misfire %s: the policy applies once',
    async (misfire) => {
      const { clock, scheduler, fired, missed } = harness({
        now: '2026-05-01T10:30:00Z',
        schedule: { cron: '*/10 * * * *', timeZone: 'UTC', misfire },
      })
      scheduler.start()
      await clock.advance('15m')
      // While the machine sleeps only the wall clock goes on.
      clock.jump(8 * hourMs)
      await clock.advance('1m')
      const before = ['05-01 10:40']
      if (misfire === 'skip') expect({ fired, missed }).toEqual({ fired: before, missed: ['clock 05-01 18:40 ×48'] })
      else {
        expect({ fired, missed }).toEqual({
          fired: [...before, '05-01 18:40 catch-up'],
          missed: ['clock 05-01 18:30 ×47'],
        })
      }
    },
  )

  test('back by an hour: no slot is fired twice, the next one comes at its time', async () => {
    const { clock, scheduler, fired, missed, logged } = harness({ now: '2026-05-01T10:30:00Z', schedule: hourly })
    scheduler.start()
    await clock.advance('35m')
    clock.jump(-hourMs)
    await clock.advance('2h')
    expect({ fired, missed, logged }).toEqual({
      fired: ['05-01 11:00', '05-01 12:00'],
      missed: [],
      logged: ['CLOCK_JUMPED'],
    })
  })

  test('back before anything was fired: the slots in between are not lost', async () => {
    const { clock, scheduler, fired } = harness({ now: '2026-05-01T12:30:00Z', schedule: hourly })
    scheduler.start()
    clock.jump(-2 * hourMs)
    await clock.advance('2h')
    expect(fired).toEqual(['05-01 11:00', '05-01 12:00'])
  })

  test('forward by mistake and back again: one run per slot', async () => {
    const { clock, scheduler, fired } = harness({
      now: '2026-05-01T10:30:00Z',
      schedule: { ...hourly, misfire: 'run-once' },
    })
    scheduler.start()
    clock.jump(2 * hourMs)
    await clock.advance('1m')
    clock.jump(-2 * hourMs)
    await clock.advance('4h')
    expect(fired).toEqual(['05-01 12:00 catch-up', '05-01 13:00', '05-01 14:00'])
  })

  test('a clock that was ahead by years does not stop backups for years', async () => {
    const { clock, scheduler, fired, logged } = harness({
      now: '2036-05-01T02:59:00Z',
      plans: { shop: daily, old: daily },
      last: { old: '2046-01-01T03:00:00Z' },
    })
    scheduler.start()
    expect(logged).toEqual(['CLOCK_JUMPED'])
    await clock.advance('2m')
    clock.jump(-10 * 365 * dayMs)
    await clock.advance('1d')
    expect(fired.toSorted()).toEqual(['05-01 03:00', '05-05 03:00', 'old 05-01 03:00', 'old 05-05 03:00'])
  })

  test('any sequence of jumps by less than a day never fires a slot twice', async () => {
    const { clock, scheduler, fired } = harness({
      now: '2026-05-01T00:30:00Z',
      schedule: { ...hourly, misfire: 'run-once' },
    })
    scheduler.start()
    for (const minutes of [61, -59, 240, -300, 7, -61, 1, -1, 600, -720, 30, 59, -20]) {
      await clock.advance('50m')
      clock.jump(minutes * 60_000)
    }
    await clock.advance('10h')
    const slots = fired.map((slot) => slot.replace(' catch-up', ''))
    expect(new Set(slots).size).toBe(slots.length)
    expect(slots.length).toBeGreaterThan(5)
  })
})

describe('fault F19: a run that is longer than its interval, for days', () => {
  test.each(['skip', 'queue', 'replace'] as const)('%s: no pile-up, every slot is accounted for', async (overlap) => {
    const { clock, scheduler, fired, missed, most } = harness({
      now: '2026-05-01T00:00:30Z',
      schedule: { cron: '*/5 * * * *', timeZone: 'UTC', overlap },
      run: sleepFor('12m'),
    })
    scheduler.start()
    await clock.advance('3d')
    expect(most()).toBe(1)
    expect(missed.every((slot) => slot.startsWith('overlap '))).toBe(true)
    const waiting = overlap === 'skip' ? 0 : 1
    expect(fired.length + missed.length + waiting).toBe(3 * 288)
    expect(fired.length).toBeGreaterThan(280)
  })
})

describe('fault F20: timers longer than 2^31 ms', () => {
  test('a slot that is months away fires once, at its time', async () => {
    const { clock, scheduler, fired } = harness({
      now: '2026-01-02T00:00:00Z',
      schedule: { cron: '0 0 1 3 *', timeZone: 'UTC' },
    })
    scheduler.start()
    await clock.advance('57d')
    expect(fired).toEqual([])
    await clock.advance('2d')
    expect(fired).toEqual(['03-01 00:00'])
  })

  test('no timer is ever set for longer than half a minute', async () => {
    const clock = testClock({ now: '2026-01-01T00:00:00Z' })
    const waits: number[] = []
    const watched = {
      ...clock,
      setTimer: (ms: number, callback: () => void) => (waits.push(ms), clock.setTimer(ms, callback)),
    }
    const { scheduler } = harness({ now: '', clock: watched, schedule: { cron: '0 0 29 2 *', timeZone: 'UTC' } })
    scheduler.start()
    await clock.advance('10m')
    expect(waits.length).toBeGreaterThanOrEqual(20)
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000)
  })
})

describe('downtime', () => {
  const down = { now: '2026-05-01T10:30:00Z', last: { shop: '2025-05-01T10:29:00Z' } } as const

  test('skip: a year of missed minutes is one count, at once', async () => {
    const { clock, scheduler, fired, missed } = harness({ ...down, schedule: { cron: '* * * * *', timeZone: 'UTC' } })
    const began = performance.now()
    scheduler.start()
    await clock.advance(0)
    expect(performance.now() - began).toBeLessThan(500)
    // The slot of this minute is on time.
    expect(fired).toEqual(['05-01 10:30'])
    expect(missed).toEqual([`down 05-01 10:29 ×${365 * 1440}`])
  })

  test('run-once: one run for the newest slot, the others are counted', async () => {
    const { clock, scheduler, fired, missed } = harness({ ...down, schedule: { ...hourly, misfire: 'run-once' } })
    scheduler.start()
    await clock.advance(0)
    expect(fired).toEqual(['05-01 10:00 catch-up'])
    expect(missed).toEqual([`down 05-01 09:00 ×${365 * 24 - 1}`])
    await clock.advance('1h')
    expect(fired).toEqual(['05-01 10:00 catch-up', '05-01 11:00'])
  })

  test('a restart at the very minute of the slot does not lose it', async () => {
    const { clock, scheduler, fired, missed } = harness({
      now: '2026-05-01T03:00:40Z',
      schedule: daily,
      last: { shop: '2026-04-30T03:00:00Z' },
    })
    scheduler.start()
    await clock.advance(0)
    expect({ fired, missed }).toEqual({ fired: ['05-01 03:00'], missed: [] })
  })

  test('a plan without a past owes nothing, and one that ran just now does not run again', async () => {
    const { clock, scheduler, fired, missed } = harness({
      now: '2026-05-01T03:00:40Z',
      plans: { fresh: { ...daily, misfire: 'run-once' }, done: { ...daily, misfire: 'run-once' } },
      last: { done: '2026-05-01T03:00:00Z' },
    })
    scheduler.start()
    await clock.advance('1h')
    expect({ fired, missed }).toEqual({ fired: [], missed: [] })
  })

  test('slots missed while the plan is paused are counted as paused, and not caught up', async () => {
    const { clock, scheduler, fired, missed } = harness({
      ...down,
      schedule: { ...hourly, misfire: 'run-once', paused: true },
      last: { shop: '2026-05-01T07:00:00Z' },
    })
    scheduler.start()
    await clock.advance(0)
    expect({ fired, missed }).toEqual({ fired: [], missed: ['paused 05-01 10:00 ×3'] })
  })

  test('a schedule that is changed at run time owes nothing for the past', async () => {
    const { clock, scheduler, fired, missed } = harness({
      now: '2026-05-01T10:30:00Z',
      schedule: hourly,
      last: { shop: '2026-05-01T10:00:00Z' },
    })
    scheduler.start()
    scheduler.update(plansOf({ shop: { cron: '*/5 * * * *', timeZone: 'UTC', misfire: 'run-once' } }))
    await clock.advance('5m')
    expect({ fired, missed }).toEqual({ fired: ['05-01 10:35'], missed: [] })
  })

  test('history that cannot be read is said, and the plan is scheduled from now', async () => {
    const { clock, scheduler, fired, logged } = harness({
      now: '2026-05-01T10:30:00Z',
      schedule: hourly,
      get last(): never {
        throw new Error('journal is corrupt')
      },
    })
    scheduler.start()
    await clock.advance('1h')
    expect(fired).toEqual(['05-01 11:00'])
    expect(logged).toEqual(['when plan "shop" last ran can\'t be read'])
  })
})

function sleepFor(duration: '12m' | '150m') {
  return (_: unknown, clock: { sleep(duration: '12m' | '150m'): Promise<void> }): Promise<void> => clock.sleep(duration)
}
