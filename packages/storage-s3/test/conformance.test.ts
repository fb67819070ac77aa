import { startFauxqs, type FauxqsServer } from 'fauxqs'
import { storageConformance } from '@holdfast/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { s3 } from '../src/s3.ts'
import { startS3, type S3Server } from './support/s3-server.ts'

beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
})
afterAll(() => vi.unstubAllEnvs())

describe('an independent in-process S3, fauxqs', () => {
  let server: FauxqsServer
  let buckets = 0
  beforeAll(async () => {
    server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false })
  })
  afterAll(() => server.stop())

  const cases = storageConformance(async () => {
    const bucket = `conformance-${++buckets}`
    server.createBucket(bucket)
    const options = { bucket, prefix: 'some/where', endpoint: `http://127.0.0.1:${server.port}` }
    return { driver: s3(options), reopen: async () => s3(options) }
  })
  test.each(cases)('$name', ({ run }) => run())

  test('and what is larger than a part', async () => {
    const bucket = `conformance-${++buckets}`
    server.createBucket(bucket)
    const driver = s3({ bucket, partSize: '5MiB', endpoint: `http://127.0.0.1:${server.port}` })
    const { signal } = new AbortController()
    const bytes = Buffer.alloc(17_000_003, 'large ')
    await driver.put('a/b', chunks(bytes, 300_007), { signal })
    const read: Uint8Array[] = []
    for await (const chunk of driver.get('a/b', { signal })) read.push(chunk)
    expect(Buffer.concat(read).equals(bytes)).toBe(true)
  })
})

describe('the server with bad days of our own tests, on a good one', () => {
  let server: S3Server
  beforeAll(async () => {
    server = await startS3()
  })
  afterAll(() => server.close())

  const cases = storageConformance(async () => {
    server.objects.clear()
    const options = { bucket: server.bucket, endpoint: server.url }
    return { driver: s3(options), reopen: async () => s3(options) }
  })
  // Once is enough for what takes seconds.
  test.each(cases.filter(({ name }) => !name.includes('thousand')))('$name', ({ run }) => run())
})

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
