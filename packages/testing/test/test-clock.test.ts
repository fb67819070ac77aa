import { describe, expect, test } from 'vitest'
import { testClock } from '../src/test-clock.ts'

describe('testClock', () => {
  test('runs timers in their order, each at its own time', async () => {
    const clock = testClock({ now: '2026-01-01T00:00:00Z' })
    const seen: string[] = []
    const note = (name: string) => () => seen.push(`${name} ${clock.now().toISOString().slice(11, 19)}`)
    clock.setTimer(3_600_000, note('late'))
    clock.setTimer(60_000, () => {
      note('first')()
      clock.setTimer(60_000, note('set by first'))
    })
    clock.setTimer(60_000, note('second'))
    await clock.advance('59s')
    expect(seen).toEqual([])
    await clock.advance('1h')
    expect(seen).toEqual(['first 00:01:00', 'second 00:01:00', 'set by first 00:02:00', 'late 01:00:00'])
    expect(clock.now()).toEqual(new Date('2026-01-01T01:00:59Z'))
    expect(clock.pending).toBe(0)
  })

  test('a cancelled timer never runs', async () => {
    const clock = testClock()
    const cancel = clock.setTimer(10, () => expect.unreachable())
    cancel()
    await clock.advance('1s')
  })

  test('sleep resolves after its time, and rejects with the reason when aborted', async () => {
    const clock = testClock()
    let awake = false
    const nap = clock.sleep('5m').then(() => (awake = true))
    await clock.advance('4m')
    expect(awake).toBe(false)
    await clock.advance('1m')
    await nap

    const controller = new AbortController()
    const cut = clock.sleep('5m', controller.signal)
    controller.abort(new Error('enough'))
    await expect(cut).rejects.toThrow('enough')
    await expect(clock.sleep('5m', controller.signal)).rejects.toThrow('enough')
    expect(clock.pending).toBe(0)
  })

  test('a jump moves the wall clock alone', async () => {
    const clock = testClock({ now: '2026-01-01T12:00:00Z' })
    clock.setTimer(1000, () => undefined)
    clock.jump(-3_600_000)
    expect(clock.now()).toEqual(new Date('2026-01-01T11:00:00Z'))
    expect(clock.monotonic()).toBe(0)
    expect(clock.pending).toBe(1)
    await clock.advance('1s')
    expect(clock.now()).toEqual(new Date('2026-01-01T11:00:01Z'))
    expect(clock.pending).toBe(0)
  })
})
