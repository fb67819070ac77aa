import { describe, expect, test } from 'vitest'
import { harness, plansOf } from './harness.ts'

const hourly = { cron: '0 * * * *', timeZone: 'UTC' } as const
const daily = { cron: '0 3 * * *', timeZone: 'UTC' } as const

describe('scheduler', () => {
  test('nothing fires before start, and then each slot once', async () => {
    const { clock, scheduler, fired, missed } = harness({ now: '2026-05-01T10:30:00Z', schedule: hourly })
    await clock.advance('2h')
    expect(fired).toEqual([])
    scheduler.start()
    expect(scheduler.next('shop')).toEqual(new Date('2026-05-01T13:00:00Z'))
    await clock.advance('2h')
    expect(fired).toEqual(['05-01 13:00', '05-01 14:00'])
    expect(missed).toEqual([])
    await scheduler.stop()
    await clock.advance('5h')
    expect(fired).toHaveLength(2)
    expect(clock.pending).toBe(0)
  })

  test('plans fire in the order in which they are due, each by its own zone', async () => {
    const { clock, scheduler, fired } = harness({
      now: '2026-05-01T00:00:00Z',
      plans: {
        berlin: { cron: '0 3 * * *', timeZone: 'Europe/Berlin' },
        kolkata: { cron: '0 3 * * *', timeZone: 'Asia/Kolkata' },
        utc: daily,
      },
    })
    scheduler.start()
    await clock.advance('1d')
    expect(fired).toEqual(['berlin 05-01 01:00', 'utc 05-01 03:00', 'kolkata 05-01 21:30'])
  })

  test('however many plans there are, they fire in their order', async () => {
    const minutes = Array.from({ length: 60 }, (_, n) => (n * 37) % 60)
    const { clock, scheduler, fired } = harness({
      now: '2026-05-01T09:59:59Z',
      plans: Object.fromEntries(
        minutes.map((minute) => [`p${minute}`, { cron: `${minute} * * * *`, timeZone: 'UTC' }]),
      ),
    })
    scheduler.start()
    await clock.advance('2h')
    const order = fired.map((slot) => slot.replace(/^p\d+ /, ''))
    expect(order).toEqual(order.toSorted())
    expect(order).toHaveLength(120)
  })

  test('a run that throws, a record that throws: the next slot fires all the same', async () => {
    const { clock, scheduler, fired, logged } = harness({
      now: '2026-05-01T10:30:00Z',
      schedule: { ...hourly, paused: false },
      run: async ({ scheduledFor }, { sleep }) => {
        if (scheduledFor.getUTCHours() === 13) await sleep('90m')
        throw new Error('disk on fire')
      },
      missed: () => {
        throw new Error('journal is full')
      },
    })
    scheduler.start()
    await clock.advance('6h')
    expect(fired).toEqual(['05-01 11:00', '05-01 12:00', '05-01 13:00', '05-01 15:00', '05-01 16:00'])
    expect(logged).toContain('counting a missed slot failed')
    expect(logged).toContain('the run of plan "shop" scheduled for 2026-05-01T11:00:00.000Z threw')
  })

  test('stop waits for what runs, and does not abort it', async () => {
    let aborted = false
    const { clock, scheduler, fired } = harness({
      now: '2026-05-01T10:59:00Z',
      schedule: { ...hourly, overlap: 'queue' },
      run: async ({ signal }, { sleep }) => {
        await sleep('90m')
        aborted = signal.aborted
      },
    })
    scheduler.start()
    await clock.advance('62m')
    let stopped = false
    const stop = scheduler.stop().then(() => (stopped = true))
    await clock.advance('20m')
    expect(stopped).toBe(false)
    expect(scheduler.running()).toEqual(['shop'])
    await clock.advance('20m')
    await stop
    expect({ aborted, running: scheduler.running(), next: scheduler.next('shop') }).toEqual({
      aborted: false,
      running: [],
      next: undefined,
    })
    // The slot that waited is not fired by a scheduler that was stopped: the next start counts it or catches up.
    expect(fired).toEqual(['05-01 11:00'])
  })

  test('slots of a paused plan are counted, and none is caught up', async () => {
    const { clock, scheduler, fired, missed } = harness({
      now: '2026-05-01T10:30:00Z',
      plans: { shop: { ...hourly, misfire: 'run-once' }, off: { ...hourly, paused: true } },
    })
    scheduler.start()
    await clock.advance('1h')
    scheduler.pause('shop')
    expect(scheduler.next('shop')).toBeUndefined()
    await clock.advance('2h')
    scheduler.resume('shop')
    scheduler.resume('off')
    await clock.advance('1h')
    expect(fired).toEqual(['05-01 11:00', '05-01 14:00', 'off 05-01 14:00'])
    expect(missed.filter((slot) => !slot.includes('off'))).toEqual(['paused 05-01 12:00', 'paused 05-01 13:00'])
    expect(missed.filter((slot) => slot.includes('off'))).toHaveLength(3)
  })

  test('a plan that is paused while a slot waits gives the slot up', async () => {
    const { clock, scheduler, fired, missed } = harness({
      now: '2026-05-01T10:59:00Z',
      schedule: { ...hourly, overlap: 'queue' },
      run: (_, { sleep }) => sleep('90m'),
    })
    scheduler.start()
    await clock.advance('65m')
    scheduler.pause('shop')
    await clock.advance('1h')
    expect({ fired, missed }).toEqual({ fired: ['05-01 11:00'], missed: ['paused 05-01 12:00', 'paused 05-01 13:00'] })
  })

  test('every slot is either fired or counted, whatever happens', async () => {
    const { clock, scheduler, fired, missed } = harness({
      now: '2026-05-01T00:00:30Z',
      schedule: { cron: '*/5 * * * *', timeZone: 'UTC', overlap: 'queue' },
      last: { shop: '2026-04-30T12:00:00Z' },
      run: (_, { sleep }) => sleep('13m'),
    })
    scheduler.start()
    await clock.advance('4h')
    scheduler.pause('shop')
    await clock.advance('1h')
    scheduler.resume('shop')
    clock.jump(2 * 3_600_000)
    await clock.advance('4h')
    const counted = missed.reduce((sum, slot) => sum + Number(/×(\d+)/.exec(slot)?.[1] ?? 1), 0)
    // 12:05 to 11:00: 23 hours of twelve slots each; one of them may wait.
    expect(276 - fired.length - counted).toBeGreaterThanOrEqual(0)
    expect(276 - fired.length - counted).toBeLessThanOrEqual(1)
  })
})

describe('update', () => {
  test('runs go on, unchanged plans keep their time, changed ones count from now, removed ones stop', async () => {
    const { clock, scheduler, fired, missed } = harness({
      now: '2026-05-01T10:59:00Z',
      plans: { keep: { ...hourly, overlap: 'queue' }, change: hourly, remove: hourly },
      run: (_, { sleep }) => sleep('90m'),
    })
    scheduler.start()
    await clock.advance('2m')
    scheduler.update(
      plansOf({
        keep: { ...hourly, overlap: 'queue' },
        change: { cron: '30 * * * *', timeZone: 'UTC', overlap: 'queue' },
        add: { ...daily, cron: '50 11 * * *' },
      }),
    )
    expect([...scheduler.running()].toSorted()).toEqual(['change', 'keep', 'remove'])
    expect(scheduler.next('change')).toEqual(new Date('2026-05-01T11:30:00Z'))
    await clock.advance('119m')
    expect(fired.slice(0, 3).toSorted()).toEqual(['change 05-01 11:00', 'keep 05-01 11:00', 'remove 05-01 11:00'])
    // The slots of 11:30 and 12:00 waited until 12:30, when the runs of 11:00 ended.
    expect(fired.slice(3)).toEqual(['add 05-01 11:50', 'keep 05-01 12:00', 'change 05-01 11:30'])
    expect(missed).toEqual([])
    expect([...scheduler.running()].toSorted()).toEqual(['add', 'change', 'keep'])
  })

  test('what is due at that very moment is still fired as it was configured', async () => {
    const { clock, scheduler, fired } = harness({ now: '2026-05-01T10:59:59Z', schedule: hourly })
    scheduler.start()
    clock.jump(1500)
    scheduler.update(plansOf({ shop: daily }))
    expect(fired).toEqual(['05-01 11:00'])
  })

  test('a slot that waits is given up when its plan is removed or paused', async () => {
    const queue = { ...hourly, overlap: 'queue' } as const
    const { clock, scheduler, fired, missed } = harness({
      now: '2026-05-01T10:59:00Z',
      plans: { gone: queue, off: queue },
      run: (_, { sleep }) => sleep('90m'),
    })
    scheduler.start()
    await clock.advance('65m')
    scheduler.update(plansOf({ off: { ...queue, paused: true } }))
    await clock.advance('40m')
    expect(fired.toSorted()).toEqual(['gone 05-01 11:00', 'off 05-01 11:00'])
    expect(missed).toEqual(['overlap gone 05-01 12:00', 'paused off 05-01 12:00'])
  })

  test('an invalid schedule leaves everything as it was', async () => {
    const { clock, scheduler, fired } = harness({ now: '2026-05-01T10:30:00Z', schedule: hourly })
    scheduler.start()
    expect(() => scheduler.update(plansOf({ add: daily, shop: { cron: '61 * * * *' } }))).toThrow(/minute "61"/)
    await clock.advance('1h')
    expect(fired).toEqual(['05-01 11:00'])
    expect(scheduler.next('add')).toBeUndefined()
  })

  test('a plan that comes back while its old run goes on does not run twice at once', async () => {
    const { clock, scheduler, fired, missed, most } = harness({
      now: '2026-05-01T10:59:00Z',
      schedule: hourly,
      run: (_, { sleep }) => sleep('90m'),
    })
    scheduler.start()
    await clock.advance('2m')
    scheduler.update([])
    scheduler.update(plansOf({ shop: hourly }))
    await clock.advance('2h')
    expect({ fired, missed }).toEqual({ fired: ['05-01 11:00', '05-01 13:00'], missed: ['overlap 05-01 12:00'] })
    expect(most()).toBe(1)
  })

  test('what was paused by hand stays so, until the configuration says otherwise', async () => {
    const { scheduler } = harness({ now: '2026-05-01T10:30:00Z', schedule: hourly })
    scheduler.start()
    scheduler.pause('shop')
    scheduler.update(plansOf({ shop: daily }))
    expect(scheduler.next('shop')).toBeUndefined()
    scheduler.update(plansOf({ shop: { ...daily, paused: true } }))
    scheduler.update(plansOf({ shop: { ...daily, paused: false } }))
    expect(scheduler.next('shop')).toEqual(new Date('2026-05-02T03:00:00Z'))
  })
})
