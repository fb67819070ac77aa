import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { selfSignedTls } from '@holdfast/testing'
import {
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
import type { Fault } from './support/s3-server.ts'

useCredentials()
const start = useServers()

/** What a service says, and what a person is told. */
const refusals: readonly (readonly [
  fault: Exclude<Fault, string | { cutAfter: number }>,
  code: string,
  says: RegExp,
])[] = [
  [
    { status: 403, code: 'AccessDenied', message: 'Access Denied' },
    'STORAGE_DENIED',
    /does not allow to put "p\/k": Access Denied/,
  ],
  [
    { status: 403, code: 'InvalidAccessKeyId', message: 'no such key' },
    'STORAGE_CREDENTIALS_REFUSED',
    /does not know the credentials/,
  ],
  [{ status: 403, code: 'SignatureDoesNotMatch' }, 'STORAGE_CREDENTIALS_REFUSED', /does not know the credentials/],
  [
    { status: 400, code: 'ExpiredToken', message: 'The provided token has expired.' },
    'STORAGE_CREDENTIALS_EXPIRED',
    /have expired/,
  ],
  [
    { status: 403, code: 'RequestTimeTooSkewed', message: 'The difference is too large' },
    'STORAGE_CLOCK_SKEW',
    /clock here/,
  ],
  [{ status: 404, code: 'NoSuchBucket' }, 'STORAGE_BUCKET_MISSING', /there is no bucket "backups" at http:/],
  [
    { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-1' } },
    'STORAGE_REGION',
    /is in the region eu-west-1/,
  ],
  [
    {
      status: 400,
      code: 'AuthorizationHeaderMalformed',
      message: "the region 'us-east-1' is wrong; expecting 'eu-west-3'",
    },
    'STORAGE_REGION',
    /is in the region eu-west-3/,
  ],
  [{ status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' }, 'STORAGE_BUSY', /too much to do/],
  [{ status: 429, code: 'TooManyRequests' }, 'STORAGE_BUSY', /too much to do/],
  [
    { status: 507, code: 'XMinioStorageFull', message: 'drive is full' },
    'STORAGE_FULL',
    /no room for "p\/k": drive is full/,
  ],
  [{ status: 403, code: 'QuotaExceeded', message: 'quota of 1 TiB' }, 'STORAGE_FULL', /quota of 1 TiB/],
  [{ status: 400, code: 'EntityTooLarge' }, 'STORAGE_TOO_LARGE', /larger than the store takes/],
  [
    { status: 400, code: 'InvalidRequest', message: 'Bucket is missing Object Lock Configuration' },
    'STORAGE_NO_OBJECT_LOCK',
    /can't lock objects/,
  ],
  [
    { status: 500, code: 'InternalError', message: 'We failed' },
    'STORAGE_IO',
    /failed at put "p\/k": InternalError: We failed/,
  ],
  [{ status: 418, code: 'Teapot', message: 'short and stout' }, 'STORAGE_IO', /Teapot: short and stout/],
]

test.each(refusals.map(([fault, code, says]) => [fault.status, fault.code, code, { fault, says }] as const))(
  'HTTP %i %s is %s',
  async (_status, _name, code, { fault, says }) => {
    const server = await start({ fault: () => fault })
    const { driver } = driverOf(server)
    const error = await failure(put(driver, 'p/k', 'x'))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(says)
    expect(error.message).not.toContain('\n')
    expect(error.docs).toBe(`docs/errors.md#${code.toLowerCase()}`)
  },
)

test('what is said about a denial names the actions that are missing, for each operation', async () => {
  const server = await start({ fault: () => ({ status: 403, code: 'AccessDenied' }) })
  const { driver } = driverOf(server)
  expect((await failure(put(driver, 'k', 'x'))).hint).toContain('s3:PutObject')
  expect((await failure(read(driver.get('k', { signal })))).hint).toContain('s3:GetObject')
  expect((await failure(keys(driver))).hint).toContain('Allow s3:ListBucket on')
  expect((await failure(driver.delete('k', { signal }))).hint).toContain('s3:DeleteObject')
  expect((await failure(driver.sweep!(new Date(), { signal }))).hint).toContain('s3:ListBucketMultipartUploads')
})

/** Something at an address, whatever it is asked. */
async function answering(status: number, body: string): Promise<{ readonly url: string; close(): void }> {
  const server = createHttpServer((request, response) => {
    request.resume()
    response.writeHead(status, { 'content-type': 'text/html' }).end(request.method === 'HEAD' ? undefined : body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${port}`, close }
}

test.each([
  [
    'of an unknown user',
    '<Error><Code>XAdminUserNotFound</Code><Message>No such user</Message></Error>',
    'STORAGE_CREDENTIALS_REFUSED',
  ],
  ['of a proxy', '<html><body>404 Not Found</body></html>', 'STORAGE_UNREACHABLE'],
  ['of a gateway', '{"message":"no Route matched"}', 'STORAGE_UNREACHABLE'],
  ['without a word', '', 'STORAGE_UNREACHABLE'],
])('a 404 %s does not mean that there is no such object', async (_what, body, code) => {
  const { url, close } = await answering(404, body)
  const { driver } = driverOf({ url, bucket: 'backups' })
  const error = await failure(read(driver.get('p/.owner/me.json', { signal })))
  close()
  expect(error.code).toBe(code)
})

test('a web page that welcomes everybody is neither an empty store nor one that has stored something', async () => {
  const { url, close } = await answering(200, '<html><body>Welcome</body></html>')
  const { driver } = driverOf({ url, bucket: 'backups' })
  const errors = [
    await failure(keys(driver)),
    await failure(put(driver, 'k', 'x')),
    await failure(put(driver, 'k', pattern(2 * partSize))),
  ]
  close()
  for (const error of errors.slice(0, 2)) {
    expect(error.code).toBe('STORAGE_UNREACHABLE')
    expect(error.message).toContain('does not speak S3')
  }
  expect(errors[2]?.message).toContain('gave the upload no id')
})

test('an object in an archive is said to be there', async () => {
  const server = await start({
    fault: () => ({
      status: 403,
      code: 'InvalidObjectState',
      message: 'The operation is not valid for the object’s storage class',
    }),
  })
  const error = await failure(read(driverOf(server).driver.get('k', { signal })))
  expect(error.code).toBe('STORAGE_ARCHIVED')
  expect(error.hint).toContain('It is not lost')
})

test('what the service refuses is not asked again; what may pass is, for five minutes', async () => {
  const server = await start({ fault: () => ({ status: 403, code: 'AccessDenied' }) })
  await failure(keys(driverOf(server).driver))
  expect(server.requests).toHaveLength(1)
})

test('a service that has never answered gets 20 seconds, one that has gets five minutes', async () => {
  const server = await start({ fault: () => ({ status: 500, code: 'InternalError' }) })
  const { driver, clock } = driverOf(server)
  const waited = (): number => clock.sleeps.reduce((sum, ms) => sum + ms, 0)
  await failure(keys(driver))
  const first = waited()
  expect(first).toBeGreaterThan(5000)
  expect(first).toBeLessThanOrEqual(20_000)
  server.fail(undefined)
  expect(await keys(driver)).toEqual([])
  server.fail(() => ({ status: 500, code: 'InternalError' }))
  await failure(keys(driver))
  expect(waited() - first).toBeGreaterThan(200_000)
  expect(waited() - first).toBeLessThanOrEqual(300_000)
})

test('Retry-After is heeded', async () => {
  const server = await start({
    fault: ({ count }) =>
      count === 1 ? { status: 503, code: 'SlowDown', headers: { 'retry-after': '7' } } : undefined,
  })
  const { driver, clock } = driverOf(server)
  expect(await keys(driver)).toEqual([])
  expect(clock.sleeps).toEqual([7000])
})

describe('nobody is there', () => {
  test('a port where nothing listens', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => closed.once('listening', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    const { driver } = driverOf({ url: `http://127.0.0.1:${port}`, bucket: 'backups' })
    const error = await failure(keys(driver))
    expect(error).toMatchObject({ code: 'STORAGE_UNREACHABLE', retryable: true })
    expect(error.message).toContain(`http://127.0.0.1:${port}`)
    expect(error.message).toContain('ECONNREFUSED')
  })

  test('a name that is not known', async () => {
    const { driver } = driverOf({ url: 'http://s3.invalid', bucket: 'backups' })
    expect((await failure(keys(driver))).code).toBe('STORAGE_UNREACHABLE')
  })

  test('a certificate of nobody', async () => {
    const server = await start({ tls: selfSignedTls() })
    const error = await failure(keys(driverOf(server).driver))
    expect(error.code).toBe('STORAGE_TLS')
    expect(error.hint).toContain('NODE_EXTRA_CA_CERTS')
    expect(error.hint).toContain('begins with http://')
  })

  test('a server without TLS at an https address', async () => {
    const { url, bucket } = await start()
    expect((await failure(keys(driverOf({ url: url.replace('http:', 'https:'), bucket }).driver))).code).toBe(
      'STORAGE_TLS',
    )
  })

  test('something that is no S3', async () => {
    const server = createServer((socket) => socket.end('220 mail.example ESMTP\r\n')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const { driver } = driverOf({ url: `http://127.0.0.1:${port}`, bucket: 'backups' })
    const error = await failure(keys(driver))
    server.close()
    expect(error.code).toBe('STORAGE_UNREACHABLE')
  })
})

test('no secret of the request is in an error or its causes', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'canary-id')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary-secret')
  vi.stubEnv('AWS_SESSION_TOKEN', 'canary-token')
  const server = await start({ fault: () => ({ status: 403, code: 'AccessDenied' }) })
  const error = await failure(put(driverOf(server).driver, 'k', pattern(1000)))
  const seen = new Set<unknown>()
  const texts: string[] = []
  const walk = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value)
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    for (const name of Object.getOwnPropertyNames(value)) walk((value as Record<string, unknown>)[name])
  }
  walk(error)
  expect(texts.length).toBeGreaterThan(4)
  expect(texts.join('\n')).not.toMatch(/canary|Credential=|Signature=/)
})
