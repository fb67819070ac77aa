import { expect, test } from 'vitest'
import {
  chunks,
  driverOf,
  failure,
  partSize,
  pattern,
  put,
  signal,
  useCredentials,
  useServers,
} from './support/driver.ts'
import type { S3Server } from './support/s3-server.ts'

useCredentials()
const start = useServers()

const bytes = pattern(2.5 * partSize)

/** Leaves an upload behind as a process does that was killed. */
function leave(server: S3Server, id: string, key: string, begun: string): void {
  server.uploads.set(id, { key, begun: new Date(begun), headers: {}, parts: new Map() })
}

test('forgets uploads of that prefix that were begun before, and no others; page by page', async () => {
  const server = await start()
  for (let n = 0; n < 9; n++) leave(server, `old-${n}`, `ours/plan/t/${n}`, '2026-01-01')
  leave(server, 'young', 'ours/plan/t/a', '2026-03-01')
  leave(server, 'other-plan', 'ours/planner/t/a', '2026-01-01')
  leave(server, 'other-store', 'plan/t/a', '2026-01-01')
  leave(server, 'foreign', 'ours/plan/not a key', '2026-01-01')
  const { driver } = driverOf(server, { prefix: 'ours' })
  const scope = { signal, prefix: 'plan/' }
  await driver.sweep?.(new Date('2026-02-01'), scope)
  expect([...server.uploads.keys()]).toEqual(['young', 'other-plan', 'other-store', 'foreign'])
  await driver.sweep?.(new Date('2026-02-01'), { signal })
  expect([...server.uploads.keys()]).toEqual(['young', 'other-store', 'foreign'])
})

test('leaves the uploads alone that this process is at, whatever the clocks say', async () => {
  const server = await start({ now: () => new Date('2020-01-01') })
  const { driver } = driverOf(server)
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* chunks(bytes)
    await driver.sweep?.(new Date('2100-01-01'), { signal })
  }
  await driver.put('plan/dump', body(), { signal })
  expect([...server.objects.keys()]).toEqual(['plan/dump'])
})

test('an upload that is gone meanwhile is no error, one that may not be removed is', async () => {
  const server = await start()
  leave(server, 'old', 'plan/t/a', '2026-01-01')
  const { driver } = driverOf(server)
  server.fail(({ operation }) => (operation === 'AbortUpload' ? { status: 404, code: 'NoSuchUpload' } : undefined))
  await driver.sweep?.(new Date('2026-02-01'), { signal })
  server.fail(({ operation }) => (operation === 'AbortUpload' ? { status: 403, code: 'AccessDenied' } : undefined))
  const error = await failure(driver.sweep!(new Date('2026-02-01'), { signal }))
  expect(error.code).toBe('STORAGE_DENIED')
  expect(error.hint).toContain('s3:AbortMultipartUpload')
})

test('a service that does not tell of uploads is left to forget them itself', async () => {
  const server = await start({ fault: () => ({ status: 501, code: 'NotImplemented' }) })
  await driverOf(server).driver.sweep?.(new Date(), { signal })
  expect(server.requests.map(({ operation }) => operation)).toEqual(['ListUploads'])
})

test('what a failing service has kept is forgotten later', async () => {
  const server = await start({ now: () => new Date('2026-01-01') })
  const { driver } = driverOf(server, { retryFor: 0 })
  server.fail(({ operation }) =>
    operation === 'UploadPart' || operation === 'AbortUpload' ? { status: 500, code: 'InternalError' } : undefined,
  )
  expect((await failure(put(driver, 'plan/dump', bytes))).code).toBe('STORAGE_IO')
  expect(server.uploads.size).toBe(1)
  server.fail(undefined)
  await driver.sweep?.(new Date('2026-01-02'), { signal })
  expect(server.uploads.size).toBe(0)
})
