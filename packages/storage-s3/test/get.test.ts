import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  collect,
  driverOf,
  failure,
  keys,
  partSize,
  pattern,
  put,
  read,
  signal,
  useCredentials,
  useServers,
} from './support/driver.ts'

useCredentials()
const start = useServers()

describe('a download whose connection is cut', () => {
  const bytes = pattern(3 * partSize)

  test('goes on where it was, every time it gets further', async () => {
    const server = await start({
      fault: ({ operation, count }) => (operation === 'GetObject' && count < 12 ? { cutAfter: 60_000 } : undefined),
    })
    const { driver } = driverOf(server)
    await put(driver, 'dump', bytes)
    expect((await read(driver.get('dump', { signal }))).equals(bytes)).toBe(true)
    const ranges = server.requests
      .filter(({ operation }) => operation === 'GetObject')
      .map(({ headers }) => headers['range'])
    expect(ranges.length).toBe(12)
    expect(ranges.slice(0, 2)).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)])
  })

  test('within a range, ends where the range ends', async () => {
    const server = await start({
      fault: ({ operation, count }) => (operation === 'GetObject' && count === 1 ? { cutAfter: 20_000 } : undefined),
    })
    const { driver } = driverOf(server)
    await put(driver, 'dump', bytes)
    const part = await read(driver.get('dump', { signal, range: { start: 1000, end: 90_000 } }))
    expect(part.equals(bytes.subarray(1000, 90_000))).toBe(true)
  })

  test('before the first byte for five minutes, is an error', async () => {
    const server = await start({ fault: ({ operation }) => (operation === 'GetObject' ? { cutAfter: 0 } : undefined) })
    const { driver, clock } = driverOf(server)
    await put(driver, 'dump', bytes)
    expect((await failure(read(driver.get('dump', { signal })))).code).toBe('STORAGE_UNREACHABLE')
    expect(clock.sleeps.length).toBeGreaterThan(10)
  })

  test('is not put together of a part and the whole, where ranges are not heeded', async () => {
    const server = await start({
      fault: ({ operation, count }) =>
        operation !== 'GetObject' ? undefined : count === 1 ? { cutAfter: 60_000 } : 'no-ranges',
    })
    const { driver } = driverOf(server)
    await put(driver, 'dump', bytes)
    const error = await failure(read(driver.get('dump', { signal })))
    expect(error.code).toBe('STORAGE_IO')
    expect(error.message).toContain('range')
  })

  test('is not put together of two objects', async () => {
    const server = await start({
      fault: ({ operation, count }) => (operation === 'GetObject' && count === 1 ? { cutAfter: 60_000 } : undefined),
    })
    const { driver } = driverOf(server)
    await put(driver, 'dump', bytes)
    const reader = driver.get('dump', { signal })[Symbol.asyncIterator]()
    await reader.next()
    await put(driver, 'dump', pattern(3 * partSize + 1))
    const rest = (async () => {
      for (let next = await reader.next(); next.done !== true; next = await reader.next());
    })()
    const error = await failure(rest)
    expect(error.code).toBe('STORAGE_IO')
    expect(error.message).toContain('replaced while it was being read')
  })
})

test('a reader that is slower than the connection lasts gets all of it', async () => {
  const server = await start()
  const { driver } = driverOf(server, { timeout: 40 })
  const bytes = pattern(4 * 2 ** 20)
  // By another, which is patient: this machine may be busy.
  await put(driverOf(server).driver, 'dump', bytes)
  const digest = createHash('sha256')
  let chunks = 0
  for await (const chunk of driver.get('dump', { signal })) {
    if (++chunks === 3) await new Promise((resolve) => setTimeout(resolve, 150))
    digest.update(chunk)
  }
  expect(digest.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
})

test('an abort ends a download that hangs, with its reason', async () => {
  const server = await start()
  const { driver } = driverOf(server)
  await put(driver, 'dump', pattern(100_000))
  server.fail(({ operation }) => (operation === 'GetObject' ? 'silence' : undefined))
  const abort = new AbortController()
  const reason = new Error('shutting down')
  setTimeout(() => abort.abort(reason), 20)
  await expect(read(driver.get('dump', { signal: abort.signal }))).rejects.toBe(reason)
})

test('an empty range asks whether there is such an object', async () => {
  const server = await start()
  const { driver } = driverOf(server)
  await put(driver, 'dump', 'abc')
  expect(await collect(driver.get('dump', { signal, range: { start: 2, end: 2 } }))).toEqual([])
  expect((await failure(read(driver.get('gone', { signal, range: { start: 2, end: 2 } })))).code).toBe(
    'STORAGE_NOT_FOUND',
  )
})

test("objects of others in the bucket, whatever they're called, are not listed", async () => {
  const server = await start()
  const { driver } = driverOf(server, { prefix: 'ours' })
  await put(driver, 'p/a', 'x')
  const [[name, object] = []] = [...server.objects]
  expect(name).toBe('ours/p/a')
  for (const other of [
    'theirs',
    'ours',
    'ours/',
    'ours/folder/',
    'ours/with space & <xml>\u0001',
    'oursx/p/a',
    'ours/p//a',
    'ours/ü',
    `ours/${'x'.repeat(230)}`,
  ])
    server.objects.set(other, object!)
  expect(await keys(driver)).toEqual(['p/a'])
})
