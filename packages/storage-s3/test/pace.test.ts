import { expect, test } from 'vitest'
import { createPace } from '../src/pace.ts'
import { createDriver } from '../src/create-driver.ts'
import { parseOptions } from '../src/options.ts'
import { pattern, put, read, signal, standingClock, useCredentials, useServers } from './support/driver.ts'

useCredentials()
const start = useServers()

test('so many bytes per second, also for several at once, and none is kept for later', async () => {
  const clock = standingClock()
  const pace = createPace(1000, clock)
  const total = async (): Promise<number> => {
    for (let n = 0; n < 20; n++) await pace.take(500)
    return clock.now()
  }
  expect(await total()).toBe(9500)
  await clock.sleep(60_000)
  const before = clock.now()
  await Promise.all([pace.take(500), pace.take(500), pace.take(500)])
  expect(clock.now() - before).toBeGreaterThanOrEqual(500)
})

test('without a limit nobody waits', async () => {
  const clock = standingClock()
  const pace = createPace(undefined, clock)
  for (let n = 0; n < 100; n++) await pace.take(1e9)
  expect(clock.sleeps).toEqual([])
})

test('a store with a limit takes as long as the bytes take, up and down', async () => {
  const server = await start()
  const clock = standingClock()
  const config = parseOptions({ bucket: server.bucket, endpoint: server.url, bandwidth: '1MiB' })
  const driver = createDriver(config, clock)
  const bytes = pattern(3 * 2 ** 20)
  await put(driver, 'dump', bytes)
  expect(clock.now()).toBeGreaterThan(2800)
  expect(clock.now()).toBeLessThan(3200)
  const before = clock.now()
  expect((await read(driver.get('dump', { signal }))).equals(bytes)).toBe(true)
  expect(clock.now() - before).toBeGreaterThan(2800)
  expect(clock.now() - before).toBeLessThan(3200)
})
