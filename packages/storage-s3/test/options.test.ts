import { describe, expect, test, vi } from 'vitest'
import { createDriver } from '../src/create-driver.ts'
import { openStorage } from '../src/open-storage.ts'
import { parseOptions, type S3Options } from '../src/options.ts'
import { s3 } from '../src/s3.ts'
import {
  driverOf,
  failure,
  keys,
  partSize,
  pattern,
  put,
  standingClock,
  useCredentials,
  useServers,
} from './support/driver.ts'

useCredentials()
const start = useServers()

/** What is said about options that are not valid. */
function refusal(open: () => unknown): { readonly message: string; readonly hint: string } {
  try {
    open()
  } catch (error) {
    expect(error).toMatchObject({ code: 'STORAGE_OPTIONS_INVALID', retryable: false })
    return error as { message: string; hint: string }
  }
  throw new Error('they are valid')
}

test('only the bucket has to be named', () => {
  expect(parseOptions({ bucket: 'backups' })).toEqual({
    bucket: 'backups',
    prefix: '',
    partSize: 8 * 2 ** 20,
    concurrency: 4,
    checksum: 'crc32',
    bandwidth: undefined,
    timeoutMs: 60_000,
    retryForMs: 300_000,
  })
})

test.each<[Record<string, unknown>, string]>([
  [{ bucket: 'a b' }, "the S3 store's option bucket can't be used: it is no name of a bucket"],
  [{ bucket: 'fast--euc1-az1--x-s3' }, 'it is a directory bucket'],
  [{ regoin: 'eu-west-1' }, "the S3 store's option regoin can't be used: it is not known"],
  [{ accessKeyId: 'AKIA' }, "option accessKeyId can't be used: it is not known"],
  [{ prefix: 'a/../b' }, "option prefix can't be used: it has an empty part, '.' or '..'"],
  [{ endpoint: 'minio:9000' }, "option endpoint can't be used: it is no URL that begins with https:// or http://"],
  [{ endpoint: 'https://key:secret@s3.example' }, 'it has credentials in it'],
  [{ partSize: '1MiB' }, 'it is not from 5MiB to 5GiB'],
  [{ partSize: 'large' }, "option partSize can't be used: use bytes or a number with a unit, such as '8MiB'"],
  [{ concurrency: 1 }, 'it is less than 2'],
  [{ concurrency: 2.5 }, 'it is no whole number'],
  [{ kmsKeyId: 'alias/backup' }, "option kmsKeyId can't be used: it needs serverSideEncryption: 'aws:kms'"],
  [{ storageClass: 'DEEP_ARCHIVE' }, 'nothing stored there could be verified'],
  [{ objectLock: { mode: 'COMPLIANCE', days: 0 } }, 'option objectLock.days'],
  [
    { objectLock: { mode: 'COMPLIANCE', days: 30 }, checksum: 'none' },
    "option checksum can't be used: it can't be 'none' with objectLock",
  ],
  [{ bandwidth: 10 }, 'it is less than 1KiB'],
  [{ timeout: '0s' }, 'it is zero'],
  [{ retryFor: 'soon' }, 'option retryFor'],
])('%o is refused', (options, says) => {
  const { message, hint } = refusal(() => s3({ bucket: 'backups', ...options }))
  expect(message).toContain(says)
  expect(hint).toContain('bucket, prefix, endpoint, region')
})

test('an endpoint is the same however it is written: what would be a copy of itself is seen', () => {
  const addresses = ['http://minio:9000', 'http://minio:9000/', 'http://MINIO:9000', 'http://minio:9000/s3'].map(
    (endpoint) => s3({ bucket: 'backups', endpoint }).address,
  )
  expect(new Set(addresses.slice(0, 3))).toEqual(new Set(['s3://backups?endpoint=http://minio:9000']))
  expect(addresses[3]).not.toBe(addresses[0])
})

describe('an address', () => {
  test('has the bucket, the prefix and the options by their names', async () => {
    const server = await start()
    const query = new URLSearchParams({
      endpoint: server.url,
      region: 'eu-central-1',
      concurrency: '2',
      partSize: '5MiB',
      forcePathStyle: 'true',
      serverSideEncryption: 'aws:kms',
      bucketKey: 'true',
      objectLock: 'GOVERNANCE:30',
    })
    const driver = openStorage(new URL(`s3://backups/shop%20floor/daily/?${query.toString()}`))
    expect(driver).toMatchObject({
      name: 's3',
      address: `s3://backups/shop floor/daily?endpoint=${server.url}`,
      capabilities: { objectLock: true },
    })
    await put(driver, 'p/t/dump.data', 'x')
    const [[name, { headers }] = ['', { headers: {} }]] = [...server.objects]
    expect(name).toBe('shop floor/daily/p/t/dump.data')
    expect(headers).toMatchObject({
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-bucket-key-enabled': 'true',
      'x-amz-object-lock-mode': 'GOVERNANCE',
    })
    expect(server.requests[0]?.headers['authorization']).toContain('/eu-central-1/s3/')
    expect(await keys(driver)).toEqual(['p/t/dump.data'])
  })

  test.each([
    ['s3://key:secret@backups/', 'has credentials in it'],
    ['s3://backups/a%zz', 'a % that is followed by no two hex digits'],
    ['s3://backups:9000/', 'which belongs to the endpoint'],
    ['s3://backups/#a', 'has a #'],
    ['s3://backups/?bucket=other', 'it stands before the ?'],
    ['s3://backups/?region=a&region=b', 'it is there twice'],
    ['s3://backups/?forcePathStyle=yes', 'option forcePathStyle'],
    ['s3://backups/?concurrency=many', 'it is no whole number'],
    ['s3://backups/?objectLock=30', 'option objectLock'],
    ['s3://backups/?pathStyle=true', 'it is not known'],
    ['s3:///prefix', 'it is no name of a bucket'],
  ])('%s is refused', (address, says) => {
    const { message } = refusal(() => openStorage(new URL(address)))
    expect(message).toContain(says)
    expect(message).not.toContain('secret')
  })
})

describe('what is said of objects', () => {
  const now = new Date('2026-11-20T03:00:00Z')

  test('Object Lock is for data and manifests, of one part and of many; marks and owner records are rewritten', async () => {
    vi.useFakeTimers({ now, toFake: ['Date'] })
    try {
      const server = await start()
      const { driver } = driverOf(server, { objectLock: { mode: 'COMPLIANCE', days: 30 } })
      const objects = {
        'p/t/r/dump.data.zst.age': pattern(1.5 * partSize),
        'p/t/r/small.data': 'x',
        'p/t/r/dump.manifest.json': '{}',
        'p/t/r/dump.verified.json': '{}',
        'p/.owner/me.json': '{}',
      }
      for (const [key, bytes] of Object.entries(objects)) await put(driver, key, bytes)
      const until = {
        'x-amz-object-lock-retain-until-date': '2026-12-20T03:00:00Z',
        'x-amz-object-lock-mode': 'COMPLIANCE',
      }
      for (const key of Object.keys(objects).slice(0, 3))
        expect(server.objects.get(key)?.headers, key).toMatchObject(until)
      for (const key of Object.keys(objects).slice(3))
        expect(Object.keys(server.objects.get(key)?.headers ?? {}).join(' '), key).not.toContain('object-lock')
    } finally {
      vi.useRealTimers()
    }
  })

  test('the storage class is for data, the encryption for everything', async () => {
    const server = await start()
    const { driver } = driverOf(server, {
      storageClass: 'STANDARD_IA',
      serverSideEncryption: 'aws:kms',
      kmsKeyId: 'alias/backup',
    })
    await put(driver, 'p/dump.data', pattern(1.5 * partSize))
    await put(driver, 'p/dump.manifest.json', '{}')
    const encryption = {
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'alias/backup',
    }
    expect(server.objects.get('p/dump.data')?.headers).toMatchObject({
      ...encryption,
      'x-amz-storage-class': 'STANDARD_IA',
    })
    expect(server.objects.get('p/dump.manifest.json')?.headers).toMatchObject(encryption)
    expect(server.objects.get('p/dump.manifest.json')?.headers).not.toHaveProperty('x-amz-storage-class')
  })

  test.each([
    ['crc32', /x-amz-checksum-crc32/],
    ['sha256', /x-amz-checksum-sha256/],
    ['none', /^((?!checksum).)*$/],
  ] as const)('checksum %s', async (checksum, headers) => {
    const server = await start()
    const { driver } = driverOf(server, { checksum })
    await put(driver, 'small', 'x')
    await put(driver, 'large', pattern(1.5 * partSize))
    for (const { operation, headers: sent } of server.requests.filter(({ operation: name }) =>
      /^(Put|UploadPart)/.test(name),
    ))
      expect(Object.keys(sent).join(' '), operation).toMatch(headers)
  })
})

describe('where a service is', () => {
  const requestTo = async (options: S3Options): Promise<string> => {
    const driver = createDriver({ ...parseOptions(options), retryForMs: 0 }, standingClock())
    const { message } = await failure(keys(driver))
    return message
  }

  test('the bucket is in the host name at AWS, and in the path at an endpoint, unless it is said otherwise', async () => {
    const server = await start()
    await keys(s3({ bucket: server.bucket, endpoint: server.url }))
    expect(server.requests[0]?.headers['host']).toMatch(/^127\.0\.0\.1:/)
    expect(await requestTo({ bucket: 'backups', endpoint: 'http://s3.invalid', forcePathStyle: false })).toContain(
      'backups.s3.invalid',
    )
    expect(await requestTo({ bucket: 'backups', region: 'xx-nowhere-1' })).toContain(
      'backups.s3.xx-nowhere-1.amazonaws.com',
    )
  })

  test('the environment may name the endpoint and the region', async () => {
    const server = await start()
    vi.stubEnv('AWS_ENDPOINT_URL_S3', server.url)
    vi.stubEnv('AWS_DEFAULT_REGION', 'eu-north-1')
    expect(await keys(s3({ bucket: server.bucket }))).toEqual([])
    expect(server.requests[0]?.headers['authorization']).toContain('/eu-north-1/s3/')
    vi.stubEnv('AWS_ENDPOINT_URL_S3', undefined)
    vi.stubEnv('AWS_DEFAULT_REGION', undefined)
  })

  test('without a region AWS is not asked', async () => {
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    const driver = createDriver({ ...parseOptions({ bucket: 'backups' }), retryForMs: 0 }, standingClock())
    const error = await failure(keys(driver))
    expect(error.code).toBe('STORAGE_OPTIONS_INVALID')
    expect(error.message).toContain('it is missing, and AWS_REGION is not set')
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined)
  })
})
