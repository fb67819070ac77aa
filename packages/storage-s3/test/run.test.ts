// A plan on the real runner, with its store in a bucket.
import { createTestRun } from '@holdfast/testing'
import { defineHook, type Sink } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { driverOf, dumpOf, keys, partSize, pattern, useCredentials, useServers } from './support/driver.ts'

useCredentials()
const start = useServers()

const bytes = pattern(4 * partSize)
const dump = dumpOf(bytes)
const isArtifact = (key: string): boolean => !key.includes('/.owner/')

test('fault F48: a bucket that fails at part N fails the run, nothing is listed, and the next run is a backup', async () => {
  const server = await start()
  const { driver } = driverOf(server)
  await using run = await createTestRun({ use: [dump], config: { storage: driver, encoding: { compression: 'none' } } })
  server.fail(({ operation, part }) =>
    operation === 'UploadPart' && part === 3 ? { status: 500, code: 'InternalError' } : undefined,
  )
  const failed = await run.run()
  expect(failed.outcome.status).toBe('failed')
  expect(failed.outcome.targets[0]?.error).toMatchObject({ code: 'STORAGE_IO' })
  expect((await keys(driver)).filter(isArtifact)).toEqual([])
  expect(server.uploads.size).toBe(0)
  server.fail(undefined)
  const next = await run.run()
  expect(next.outcome.status).toBe('succeeded')
  expect(next.outcome.targets[0]?.verification).toBe('verified')
  expect((await keys(driver)).filter(isArtifact).map((key) => key.replace(/^.*\//, '').replace(/^dump\./, ''))).toEqual(
    ['data', 'manifest.json', 'verified.json'],
  )
})

test('fault F48: bytes that come back other than they were sent are damage, also where the service itself sees it', async () => {
  const server = await start()
  const { driver } = driverOf(server)
  const small = defineHook('backups', ({ createArtifact }) =>
    createArtifact('dump', (sink: Sink) => sink.write(Buffer.from('all that there is'))),
  )
  await using run = await createTestRun({ use: [small], config: { storage: driver } })
  await run.run()
  server.fail(({ operation, key }) => (operation === 'GetObject' && key.includes('.data') ? 'flipped-bit' : undefined))
  await run.clock.advance('1d')
  const { outcome } = await run.run()
  expect(outcome).toMatchObject({ status: 'partial', error: { code: 'ARTIFACT_DIGEST' } })
  const states: string[] = []
  for await (const { state } of run.engine.store().list()) states.push(state)
  // Nobody takes it for a backup, now or later.
  expect(states).toEqual(['invalid', 'valid'])
})

test('whoever may only read the bucket can prove what is in it', async () => {
  const server = await start()
  const { driver } = driverOf(server)
  await using run = await createTestRun({ use: [dump], config: { storage: driver } })
  const { outcome } = await run.run()
  const id = outcome.targets[0]?.points[0]?.id ?? ''
  server.fail(({ operation }) =>
    operation === 'PutObject' ? { status: 403, code: 'AccessDenied', message: 'Access Denied' } : undefined,
  )
  const { signal } = new AbortController()
  await expect(run.engine.store().verify(id, { signal })).resolves.toMatchObject({ id, state: 'valid' })
  expect(run.log.join('')).toContain('is verified, which could not be written down')
})

test('fault F48: what a killed run has left is forgotten by the next one', async () => {
  const server = await start()
  const { driver } = driverOf(server)
  await using run = await createTestRun({ use: [dump], config: { storage: driver } })
  await run.run()
  const plan = (await keys(driver))[0]?.split('/').slice(0, 2).join('/')
  server.uploads.set('left', {
    key: `${plan}/t/r/dump.data`,
    begun: new Date('2020-01-01'),
    headers: {},
    parts: new Map(),
  })
  await run.run()
  expect([...server.uploads.keys()]).toEqual([])
})
