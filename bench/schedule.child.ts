// One process of the schedule benchmark: `start N` or `burst N`. Prints one line of JSON.
import type { Logger } from '@holdfast/sdk'
import { systemClock, type RuntimeClock } from '../packages/runtime/src/clock.ts'
import { createScheduler } from '../packages/runtime/src/schedule/scheduler.ts'

const [mode, amount] = process.argv.slice(2)
const silent = (): void => undefined
const log: Logger = { debug: silent, info: silent, warn: silent, error: silent }

// All of them have a slot at 03:00, and hardly two are alike, so that nothing is won by sharing.
const plans = Array.from({ length: Number(amount) }, (_, n) => ({
  name: `plan-${n}`,
  schedule: { cron: `0,${1 + (n % 59)} 3,${4 + (n % 19)} * * *`, timeZone: 'Europe/Berlin' },
}))

/** The machine's clock, set to another time; tells when the scheduler has nothing left to do but wait. */
function shiftedClock(now: number): RuntimeClock & { idle(): Promise<void> } {
  const shift = now - Date.now()
  let isIdle = false
  let settle = (): void => undefined
  return {
    ...systemClock,
    now: () => new Date(Date.now() + shift),
    setTimer(ms, callback) {
      isIdle = ms > 0
      if (isIdle) settle()
      return systemClock.setTimer(ms, callback)
    },
    async idle() {
      if (!isIdle) await new Promise<void>((resolve) => (settle = resolve))
    },
  }
}

// The wall clock has whole milliseconds, so late is measured to that.
const slot = Date.parse('2026-05-01T01:00:00Z')
const clock = shiftedClock(slot - 1000 - plans.length / 2)
const late: number[] = []
const { promise: allFired, resolve } = Promise.withResolvers<void>()
const scheduler = createScheduler({
  clock,
  plans,
  lastScheduled: () => new Date('2026-04-30T21:00:00Z'),
  async fire({ scheduledFor }) {
    late.push(clock.now().getTime() - scheduledFor.getTime())
    if (late.length === plans.length) resolve()
    await clock.sleep(1)
  },
  missed: silent,
  log,
})
scheduler.start()
await clock.idle()
if (mode === 'burst') {
  if (late.length > 0) throw new Error('the slot came before every plan was ready')
  await allFired
  const again = performance.now()
  await clock.idle()
  late.sort((a, b) => a - b)
  const p99 = late[Math.floor(late.length * 0.99)]
  console.log(JSON.stringify({ p99, most: late.at(-1), settledMs: performance.now() - again }))
} else {
  console.log(JSON.stringify({ rss: process.memoryUsage().rss }))
}
await scheduler.stop()
