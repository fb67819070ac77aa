// A bucket as a copy of a store, on the real runner.
import { createTestRun, memoryStorage, type TestRun } from '@holdfast/testing'
import type { StorageDriver } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { driverOf, dumpOf, keys, partSize, pattern, signal, useCredentials, useServers } from './support/driver.ts'

useCredentials()
const start = useServers()

const bytes = pattern(4 * partSize)
const dump = dumpOf(bytes)

async function artifactKeys(driver: StorageDriver): Promise<readonly string[]> {
  return (await keys(driver)).filter((key) => !key.includes('/.owner/'))
}

/** What a machine restores that has only this store. */
async function restored(storage: StorageDriver): Promise<readonly Buffer[]> {
  await using there: TestRun = await createTestRun({ use: [dump], config: { storage } })
  const store = there.engine.store()
  const found: Buffer[] = []
  for await (const { id } of store.list()) {
    await store.verify(id, { signal })
    const chunks: Uint8Array[] = []
    for await (const chunk of store.open(id, { signal })) chunks.push(chunk)
    found.push(Buffer.concat(chunks))
  }
  return found
}

test('what is copied to a bucket is read back from it, and restored from it alone', async () => {
  const { driver } = driverOf(await start())
  const storage = memoryStorage()
  await using run = await createTestRun({ use: [dump], config: { storage, copies: [driver] } })
  const { outcome } = await run.run()
  expect(outcome).toMatchObject({ status: 'succeeded', warnings: [] })
  expect(await artifactKeys(driver)).toEqual(await artifactKeys(storage))
  expect((await restored(driver)).map((each) => each.equals(bytes))).toEqual([true])
})

test('fault F48: a bucket that fails at part N as a copy: the store is good, no upload is left, the next run copies both', async () => {
  const server = await start()
  const { driver } = driverOf(server)
  const storage = memoryStorage()
  const config = { storage, copies: [driver], encoding: { compression: 'none' } } as const
  await using run = await createTestRun({ use: [dump], config })
  for (const part of [1, 3, 4]) {
    server.fail((seen) =>
      seen.operation === 'UploadPart' && seen.part === part ? { status: 503, code: 'SlowDown' } : undefined,
    )
    await run.clock.advance('1d')
    const { outcome } = await run.run()
    expect(outcome).toMatchObject({ status: 'partial', reason: 'copies', targets: [{ verification: 'verified' }] })
    expect(outcome.warnings.map(({ code }) => code)).toEqual(['COPY_INCOMPLETE'])
    expect(await artifactKeys(driver)).toEqual([])
    expect(server.uploads.size).toBe(0)
  }
  server.fail(undefined)
  await run.clock.advance('1d')
  expect((await run.run()).outcome).toMatchObject({ status: 'succeeded', warnings: [] })
  expect(await artifactKeys(driver)).toEqual(await artifactKeys(storage))
  expect((await restored(driver)).map((each) => each.equals(bytes))).toEqual([true, true, true, true])
})

test('two buckets of one name at different services are two stores, one bucket twice is not', async () => {
  const [here, there] = [driverOf(await start()).driver, driverOf(await start()).driver]
  await using run = await createTestRun({ use: [dump], config: { storage: here, copies: [there] } })
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(await artifactKeys(there)).toEqual(await artifactKeys(here))
  const { address } = here
  const twice = createTestRun({ use: [dump], config: { storage: here, copies: [{ ...here }] } })
  await expect(twice).rejects.toMatchObject({
    details: { problems: [{ code: 'COPY_SAME_STORE', message: expect.stringContaining(address ?? 'no address') }] },
  })
})
