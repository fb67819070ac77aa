// A store in a bucket of a server that isn't ours: versitygw. The driver by its conformance suite, and the command line that
// the image has, from the run to the restore. No cluster is needed.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { storageConformance } from '@holdfast/testing'
import { isHoldfastError, type StorageDriver } from '@holdfast/sdk'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as aws from '@aws-sdk/client-s3'
import { s3, type S3Options } from '../packages/storage-s3/src/index.ts'
import { createProject, runCommand, startCommand, type Project } from './support/cli.ts'
import { succeed, waitFor, type Ended } from './support/kubectl.ts'
import { readerOf, type Reader } from './support/page.ts'
import { startS3Service, startTlsService, type S3Service } from './support/s3.ts'

const { signal } = new AbortController()
const bucket = 'backups'
const MiB = 2 ** 20

let service: S3Service
let prefixes = 0
beforeAll(async () => {
  service = await startS3Service()
  for (const [name, value] of Object.entries(service.env)) vi.stubEnv(name, value)
}, 20 * 60_000)
afterAll(async () => {
  vi.unstubAllEnvs()
  await service?.stop()
})

const optionsOf = (more: Partial<S3Options> = {}): S3Options => ({
  bucket,
  prefix: `test-${++prefixes}`,
  endpoint: service.endpoint,
  ...more,
})
const client = (): aws.S3Client =>
  new aws.S3Client({ endpoint: service.endpoint, forcePathStyle: true, region: 'us-east-1' })

describe('the conformance suite', () => {
  const cases = storageConformance(async () => {
    const options = optionsOf()
    return { driver: s3(options), reopen: async () => s3(options) }
  })
  test.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined()
  })
})

/** Bytes that no compression makes smaller, the same each time. */
function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, n) => createHash('sha256').update(`${n}`).digest())
  return Buffer.concat(blocks).subarray(0, length)
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
}

async function read(driver: StorageDriver, key: string): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of driver.get(key, { signal })) parts.push(chunk)
  return Buffer.concat(parts)
}

describe('an object of many parts', () => {
  const bytes = noise(23 * MiB + 7)

  test.each(['crc32', 'sha256', 'none'] as const)('with checksum %s is what was sent', async (checksum) => {
    const driver = s3(optionsOf({ checksum, partSize: '5MiB' }))
    await driver.put('large.data', chunks(bytes), { signal })
    expect((await read(driver, 'large.data')).equals(bytes)).toBe(true)
  })

  test('that fails leaves neither an object nor parts', async () => {
    const options = optionsOf({ partSize: '5MiB' })
    const driver = s3(options)
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* chunks(bytes)
      throw new Error('the dump failed')
    }
    await expect(driver.put('large.data', body(), { signal })).rejects.toThrow('the dump failed')
    const listed: string[] = []
    for await (const { key } of driver.list('', { signal })) listed.push(key)
    expect(listed).toEqual([])
    const { Uploads = [] } = await client().send(
      new aws.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: options.prefix }),
    )
    expect(Uploads).toEqual([])
  })
})

test('Object Lock: what was stored can be hidden, and its versions not be removed', async () => {
  const locked = 'locked-backups'
  await client().send(new aws.CreateBucketCommand({ Bucket: locked, ObjectLockEnabledForBucket: true }))
  const options = optionsOf({ bucket: locked, objectLock: { mode: 'COMPLIANCE', days: 1 }, partSize: '5MiB' })
  const driver = s3(options)
  expect(driver.capabilities.objectLock).toBe(true)
  const contents = { 'p/t/r/small.data': Buffer.from('small'), 'p/t/r/large.data': noise(6 * MiB) }
  for (const [key, bytes] of Object.entries(contents)) {
    await driver.put(key, chunks(bytes), { signal })
    const target = { Bucket: locked, Key: `${options.prefix}/${key}` }
    const { VersionId, ObjectLockMode, ObjectLockRetainUntilDate } = await client().send(
      new aws.HeadObjectCommand(target),
    )
    expect([key, ObjectLockMode]).toEqual([key, 'COMPLIANCE'])
    expect(ObjectLockRetainUntilDate?.getTime()).toBeGreaterThan(Date.now() + 23 * 3_600_000)
    await driver.delete(key, { signal })
    await expect(read(driver, key)).rejects.toMatchObject({ code: 'STORAGE_NOT_FOUND' })
    await expect(client().send(new aws.DeleteObjectCommand({ ...target, VersionId }))).rejects.toThrow(/lock|denied/i)
    const { Body } = await client().send(new aws.GetObjectCommand({ ...target, VersionId }))
    expect((await Body?.transformToByteArray())?.byteLength).toBe(bytes.length)
  }
  const error: unknown = await s3(optionsOf({ objectLock: { mode: 'COMPLIANCE', days: 1 } }))
    .put('p/t/r/small.data', chunks(Buffer.from('x')), { signal })
    .catch((thrown: unknown) => thrown)
  expect(isHoldfastError(error) && error.code).toBe('STORAGE_NO_OBJECT_LOCK')
})

/** A plan that stores a file, and can be held before its end. */
function shop(): Project {
  return createProject({
    'dump.bin': noise(20 * MiB),
    'holdfast.config.ts': `import { existsSync, createReadStream } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { defineConfig, defineHook } from '@holdfast/sdk'

const dump = defineHook('backups', ({ createArtifact, signal }) =>
  createArtifact('dump', async (sink) => {
    for await (const chunk of createReadStream('dump.bin')) await sink.write(chunk)
    while (existsSync('hold')) await setTimeout(50, undefined, { signal })
  }), { name: 'orders' })

export default defineConfig({ plans: [{ name: 'shop', use: [dump] }] })
`,
  })
}

const urlOf = ({ prefix = '', endpoint = '' }: S3Options): string =>
  `s3://${bucket}/${prefix}?${new URLSearchParams({ endpoint, partSize: '5MiB' }).toString()}`

const holdfast = (project: Project, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  runCommand('holdfast', [...args, '--state-dir', project.at('state')], {
    cwd: project.path,
    env: { ...service.env, ...env },
  })

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

describe('holdfast, with --storage s3://…', () => {
  test('runs, lists, verifies, and restores on a machine that knows nothing but the address', async () => {
    const project = shop()
    const url = urlOf(optionsOf())
    const run = await holdfast(project, ['run', 'shop', '--storage', url, '--json'])
    expect(run.stderr).not.toContain('"level":"error"')
    expect(JSON.parse(run.stdout)).toMatchObject({ status: 'succeeded', targets: [{ verification: 'verified' }] })

    const elsewhere = createProject()
    const listed = await holdfast(elsewhere, ['list', '--storage', url, '--json'])
    expect(JSON.parse(listed.stdout)).toEqual([
      expect.objectContaining({ name: 'dump', size: 20 * MiB, state: 'valid' }),
    ])
    expect(await holdfast(elsewhere, ['verify', '--all', '--storage', url])).toMatchObject({ code: 0 })
    const restored = await holdfast(elsewhere, ['restore', '--plan', 'shop', '--to', 'back.bin', '--storage', url])
    expect(restored).toMatchObject({ code: 0 })
    expect(sha256(elsewhere.at('back.bin'))).toBe(sha256(project.at('dump.bin')))
    elsewhere.remove()
    project.remove()
  })

  test('docs/s3.md, packages/storage-s3/README.md and docs/restore.md: addresses, and a restore from one with a key', async () => {
    const project = shop()
    const url = urlOf(optionsOf())
    const here = {
      's3://backups/shop?region=eu-central-1': url,
      's3://backups/shop?endpoint=https://minio.example:9000': url,
    }
    const env = { ...service.env, HOLDFAST_STATE_DIR: project.at('state') }
    const reader = (page: string): Reader => readerOf({ page, cwd: project.path, env, here })
    await reader('docs/s3.md').type('addresses')
    expect(await reader('packages/storage-s3/README.md').type('address')).toContain('20.0 MiB')
    await succeed('age-keygen', ['-o', project.at('key.txt')])
    await reader('docs/restore.md').type('bucket')
    expect(sha256(project.at('restored/dump'))).toBe(sha256(project.at('dump.bin')))
    project.remove()
  })

  test('fault F48: killed in the middle of an upload, nothing is listed, and the next run forgets the parts', async () => {
    const project = shop()
    const options = optionsOf()
    const url = urlOf(options)
    const uploads = async (): Promise<readonly aws.MultipartUpload[]> => {
      const input = { Bucket: bucket, Prefix: `${options.prefix}/` }
      return (await client().send(new aws.ListMultipartUploadsCommand(input))).Uploads ?? []
    }
    const partsOf = async ({ Key, UploadId }: aws.MultipartUpload): Promise<number> =>
      (await client().send(new aws.ListPartsCommand({ Bucket: bucket, Key, UploadId }))).Parts?.length ?? 0
    project.write('hold', '')
    const args = ['run', 'shop', '--storage', url, '--state-dir', project.at('state')]
    const running = startCommand('holdfast', args, { cwd: project.path, env: service.env })
    await waitFor('some parts', async () => {
      const [upload] = await uploads()
      return upload !== undefined && (await partsOf(upload)) >= 2 ? 'there' : undefined
    })
    running.kill('SIGKILL')
    await running.ended
    expect(JSON.parse((await holdfast(project, ['list', '--storage', url, '--json'])).stdout)).toEqual([])
    expect(await uploads()).toHaveLength(1)

    project.remove('hold')
    expect(await holdfast(project, ['run', 'shop', '--storage', url])).toMatchObject({ code: 0 })
    expect(await uploads()).toEqual([])
    expect(JSON.parse((await holdfast(project, ['list', '--storage', url, '--json'])).stdout)).toHaveLength(1)
    project.remove()
  })

  test('what is wrong with the store is one sentence, and what to do', async () => {
    const project = createProject()
    const url = urlOf(optionsOf())
    const wrong: readonly (readonly [url: string, env: NodeJS.ProcessEnv, code: string, says: string])[] = [
      [url, { AWS_SECRET_ACCESS_KEY: 'wrong' }, 'STORAGE_CREDENTIALS_REFUSED', 'does not know the credentials'],
      [url, { AWS_ACCESS_KEY_ID: 'nobody' }, 'STORAGE_CREDENTIALS_REFUSED', 'does not know the credentials'],
      [
        url.replace(`s3://${bucket}/`, 's3://no-such-bucket/'),
        {},
        'STORAGE_BUCKET_MISSING',
        'there is no bucket "no-such-bucket"',
      ],
      [url.replace('partSize', 'partsize'), {}, 'STORAGE_OPTIONS_INVALID', 'partsize'],
    ]
    for (const [address, env, code, says] of wrong) {
      const { stdout, stderr, ...ended } = await holdfast(project, ['list', '--storage', address], env)
      const said = stdout + stderr
      expect({ address, ...ended }).not.toMatchObject({ code: 0 })
      expect(said).toContain(says)
      expect(said).toContain(code)
      expect(said).not.toMatch(/\n {4}at |secret-of/)
    }
    project.remove()
  })

  test('over TLS, with a certificate of an authority of its own', async () => {
    const tls = await startTlsService()
    const project = shop()
    const url = urlOf({ bucket, prefix: 'tls', endpoint: tls.endpoint })
    const untrusted = await holdfast(project, ['list', '--storage', url], tls.env)
    expect(untrusted.code).not.toBe(0)
    expect(untrusted.stdout + untrusted.stderr).toContain('STORAGE_TLS')
    const env = { ...tls.env, NODE_EXTRA_CA_CERTS: tls.authority }
    expect(await holdfast(project, ['run', 'shop', '--storage', url], env)).toMatchObject({ code: 0 })
    expect(
      await holdfast(project, ['restore', '--plan', 'shop', '--to', 'back.bin', '--storage', url], env),
    ).toMatchObject({ code: 0 })
    expect(sha256(project.at('back.bin'))).toBe(sha256(project.at('dump.bin')))
    await tls.stop()
    project.remove()
  })
})

describe('copies in buckets', () => {
  test('each is verified, catches up after it was away, keeps what its own retention keeps, and is a store', async () => {
    // One user for both services: there is one environment.
    const away = await startTlsService(service.env)
    const project = shop()
    const urls = [
      urlOf(optionsOf()),
      `${urlOf({ bucket, prefix: 'copies', endpoint: away.endpoint })}&retryFor=1s`,
    ] as const
    const config = readFileSync(project.at('holdfast.config.ts'), 'utf8')
    project.write('holdfast.config.ts', config.replace("name: 'shop'", "name: 'shop', retention: { latest: 2 }"))
    const store = `file://${project.at('store')}`
    const env = {
      NODE_EXTRA_CA_CERTS: away.authority,
      HOLDFAST_STORAGE: store,
      HOLDFAST_COPIES: urls.join(' '),
    }
    const run = async (): Promise<object> => {
      const { code, stdout, stderr } = await holdfast(project, ['run', 'shop', '--json'], env)
      if (stdout === '') throw new Error(stderr)
      return { code, ...(JSON.parse(stdout) as object) }
    }
    const list = async (url: string): Promise<readonly { readonly id: string; readonly verifiedAt?: string }[]> => {
      const { stdout } = await holdfast(createProject(), ['list', '--storage', url, '--json'], env)
      return JSON.parse(stdout) as { id: string; verifiedAt?: string }[]
    }
    expect(await run()).toMatchObject({ code: 0, status: 'succeeded', targets: [{ verification: 'verified' }] })

    await away.pause()
    expect(await run()).toMatchObject({
      code: 4,
      status: 'partial',
      reason: 'copies',
      targets: [{ status: 'succeeded', verification: 'verified' }],
      warnings: [{ code: 'COPY_INCOMPLETE', message: expect.stringContaining(away.endpoint) }],
    })
    expect(await list(urls[0])).toHaveLength(2)
    await away.resume()

    expect(await run()).toMatchObject({ code: 0, status: 'succeeded', warnings: [] })
    const kept = await list(store)
    expect(kept).toHaveLength(2)
    for (const url of urls) {
      const copied = await list(url)
      expect(copied.map(({ id }) => id)).toEqual(kept.map(({ id }) => id))
      expect(copied.filter(({ verifiedAt }) => verifiedAt === undefined)).toEqual([])
      const elsewhere = createProject()
      const to = ['restore', '--plan', 'shop', '--to', 'back.bin', '--storage', url]
      expect(await holdfast(elsewhere, to, env)).toMatchObject({ code: 0 })
      expect(sha256(elsewhere.at('back.bin'))).toBe(sha256(project.at('dump.bin')))
      elsewhere.remove()
    }
    await away.stop()
    project.remove()
  })
})

// Here, because the server that it starts is this file's.
test('e2e/kit/README.md: everything is up, and a filesystem stands still until it is thawed', async () => {
  const kit = join(import.meta.dirname, 'kit')
  const { PATH, HOME, HOLDFAST_E2E_DIR, HOLDFAST_E2E_PORTS } = process.env
  const directory = createProject()
  const { type } = readerOf({
    page: 'e2e/kit/README.md',
    cwd: kit,
    env: { PATH, HOME, HOLDFAST_E2E_DIR, HOLDFAST_E2E_PORTS },
    // Nobody waits that long here.
    here: { '/tmp/data': directory.at('data'), 'sleep 10': 'sleep 1' },
  })
  try {
    await type('up')
    await type('freeze')
    directory.write('data/thawed', 'yes')
    expect(directory.read('data/thawed')).toBe('yes')
  } finally {
    await succeed(join(kit, 'mongo.sh'), ['down'])
    await succeed(join(kit, 'loop-fs.sh'), ['down', directory.at('data')])
    directory.remove()
  }
})
