// mongodump in the database's own container: the real exec over a fake cluster, whose containers are processes of this machine.
import { hostname } from 'node:os'
import {
  advanceUntil,
  createTestRun,
  startFakeKubernetes,
  type ExecFault,
  type FakeKubernetes,
  type TestRun,
} from '@holdfast/testing'
import type { HoldfastError, TargetOutcome } from '@holdfast/sdk'
import { expect, onTestFinished, test, vi } from 'vitest'
import { mongodump, type MongodumpOptions } from '../src/index.ts'
import { numbered, writeArchive } from './support/archive.ts'
import { all } from './support/dump-run.ts'
import { startFakeMongo, type FakeMongo } from './support/fake-mongo.ts'
import { toolPrograms, type ToolPrograms, type ToolProgramsOptions } from './support/tool-programs.ts'

interface ContainerRun {
  readonly mongo: FakeMongo
  readonly cluster: FakeKubernetes
  readonly programs: ToolPrograms
  readonly test: TestRun
  run(): Promise<{
    readonly status: string
    readonly target: TargetOutcome | undefined
    readonly error: HoldfastError | undefined
  }>
  meta(): Promise<unknown>
}

interface ContainerRunOptions extends ToolProgramsOptions {
  readonly pod?: string
  readonly options?: Partial<MongodumpOptions>
  readonly uri?: (mongo: FakeMongo) => string
  readonly env?: (mongo: FakeMongo) => NodeJS.ProcessEnv
}

const archive = writeArchive({
  collections: [
    { database: 'shop', collection: 'orders', documents: numbered(10) },
    { database: 'shop', collection: 'users', documents: numbered(2) },
  ],
})

async function containerRun(given: ContainerRunOptions = {}): Promise<ContainerRun> {
  const { pod = 'shop-0', options, uri = (mongo) => mongo.uri, env } = given
  const mongo = await startFakeMongo()
  mongo.collections.set('shop.orders', { documents: 10 }).set('shop.users', { documents: 2 })
  const programs = toolPrograms(given)
  programs.archive(archive)
  const cluster = await startFakeKubernetes({ namespace: 'shop' })
  cluster.addPod({
    name: pod,
    labels: { app: 'shop' },
    containers: [{ name: 'mongodb', directory: programs.directory, env: programs.env }, { name: 'sidecar' }],
  })
  onTestFinished(async () => {
    await cluster[Symbol.asyncDispose]()
    await mongo[Symbol.asyncDispose]()
  })
  const run = await createTestRun({
    use: [mongodump({ uri: { env: 'MONGODB_URI' }, where: { container: 'mongodb', pod: 'shop-0' }, ...options })],
    cluster,
    env: { ...process.env, MONGODB_URI: uri(mongo), ...env?.(mongo) },
  })
  onTestFinished(() => run.close())
  return {
    mongo,
    cluster,
    programs,
    test: run,
    async run() {
      const { outcome } = await run.run()
      const [target] = outcome.targets
      return { status: outcome.status, target, error: (target?.error ?? outcome.error) as HoldfastError | undefined }
    },
    async meta() {
      const [newest] = await all(run.engine.services.store().list({}))
      return newest?.meta['mongodump']
    },
  }
}

const stored = async ({ test: run }: ContainerRun): Promise<number> =>
  (await all(run.engine.services.store().list({}))).length

test('the archive comes out of the container, and the server is asked by its mongosh', async () => {
  const run = await containerRun({ mongosh: true })
  const { status, target } = await run.run()
  expect({ status, verification: target?.verification }).toEqual({ status: 'succeeded', verification: 'verified' })
  expect(await run.meta()).toMatchObject({
    tool: { ran: 'in the container mongodb of shop-0' },
    server: { kind: 'standalone', version: '7.0.12', seen: 'mongosh' },
    archive: { documents: 12 },
    counts: { compared: 2, differences: [] },
  })
  // The dry run got the list of collections on its standard input, beside its configuration, and nothing more.
  expect(run.programs.left('calls')).toMatch(/mongorestore --config \/dev\/fd\/3 --archive --dryRun/)
  const dry = Buffer.from(run.programs.left('restored'), 'latin1')
  expect(archive.subarray(0, dry.length)).toEqual(dry)
  expect(dry.length).toBeLessThan(archive.length)
})

test('fault F54: the connection string gets into the container, and not into arguments, files or the tool’s environment', async () => {
  const run = await containerRun({
    mongosh: true,
    uri: ({ port }) => `mongodb://127.0.0.1:${port}/?appName=canary-51bd`,
  })
  expect((await run.run()).status).toBe('succeeded')
  expect(run.programs.left('config')).toMatch(
    /^uri: "mongodb:\/\/127\.0\.0\.1:\d+\/\?appName=canary-51bd&directConnection=true"\n/,
  )
  const seen = [
    run.programs.left('calls'),
    run.programs.left('environ'),
    JSON.stringify(run.cluster.execs.map(({ argv }) => argv)),
    JSON.stringify(run.cluster.requests),
    run.test.log.join('\n'),
  ]
  for (const text of seen) expect(text).not.toContain('canary')
  expect(run.programs.left('calls')).toContain('mongodump --config /dev/fd/3 --archive')
})

test('without mongosh, where localhost is another machine there than here: what can’t be checked is said, and nothing is assumed', async () => {
  const run = await containerRun()
  const { status, target } = await run.run()
  expect({ status, verification: target?.verification }).toEqual({ status: 'succeeded', verification: 'verified' })
  const reason =
    /there is no mongosh in the container mongodb of shop-0, and from here 127\.0\.0\.1:\d+ is another server/
  expect(await run.meta()).toMatchObject({
    server: { version: '7.0.42', unseen: expect.stringMatching(reason) },
    consistency: { by: 'none', reason: 'what kind of server it is can’t be seen' },
    counts: { compared: 0, reason: expect.stringMatching(reason) },
  })
  expect(run.test.log.join('')).toMatch(/"level":"warn".*is not compared with it: there is no mongosh/)
  expect(run.mongo.commands).toEqual([])
})

test('without mongosh: by controlUri', async () => {
  const run = await containerRun({
    uri: () => 'mongodb://localhost:27017/',
    env: ({ uri }) => ({ CONTROL: uri }),
    options: { controlUri: { env: 'CONTROL' } },
  })
  expect((await run.run()).status).toBe('succeeded')
  expect(await run.meta()).toMatchObject({ server: { seen: 'driver' }, counts: { compared: 2 } })
  expect(run.programs.left('config')).toContain('mongodb://localhost:27017/')
})

test('without mongosh, in our own pod: its containers share one network', async () => {
  // Other tests of this process may have been pods.
  vi.stubEnv('POD_NAME', hostname())
  onTestFinished(() => void vi.unstubAllEnvs())
  const run = await containerRun({ pod: hostname(), options: { where: { container: 'mongodb' } } })
  expect((await run.run()).status).toBe('succeeded')
  expect(await run.meta()).toMatchObject({ server: { seen: 'driver' }, counts: { compared: 2 } })
})

test('a server that can’t be reached from here, although mongodump can there, is not asked', async () => {
  const run = await containerRun({ uri: () => 'mongodb://127.0.0.2.invalid:9/?serverSelectionTimeoutMS=200' })
  expect((await run.run()).status).toBe('succeeded')
  expect(await run.meta()).toMatchObject({
    counts: { compared: 0, reason: expect.stringContaining('127.0.0.2.invalid') },
  })
})

test('a mongosh that is refused says so: mongodump would be, too', async () => {
  const run = await containerRun({ mongosh: true, uri: ({ port }) => `mongodb://ada:wrong@127.0.0.1:${port}/` })
  const { error } = await run.run()
  expect(error).toMatchObject({ code: 'MONGODB_AUTH', message: expect.stringContaining('Authentication failed') })
  expect(await stored(run)).toBe(0)
})

test('very many questions go to mongosh in several calls', async () => {
  const run = await containerRun({ mongosh: true, options: { verify: 'counts' } })
  const many = Array.from({ length: 500 }, (_, index) => `${'a-long-name-'.repeat(12)}${index}`)
  for (const name of many) run.mongo.collections.set(`shop.${name}`, { documents: 0 })
  run.programs.archive(
    writeArchive({
      collections: ['orders', 'users', ...many].map((collection) => ({
        database: 'shop',
        collection,
        documents: numbered(run.mongo.collections.get(`shop.${collection}`)?.documents ?? 0),
      })),
    }),
  )
  expect((await run.run()).status).toBe('succeeded')
  expect(await run.meta()).toMatchObject({ counts: { compared: 502, differences: [] } })
})

test.each<readonly [string, ExecFault, string]>([
  ['is cut', { kind: 'reset', afterBytes: 500 }, 'EXEC_LOST'],
  ['loses its end', { kind: 'truncated', bytes: 500 }, 'EXEC_TRUNCATED'],
])('fault F46: a connection that %s: nothing is stored', async (_, fault, code) => {
  const run = await containerRun({ options: { verify: 'archive' } })
  // Which a shell starts, with its configuration.
  run.cluster.misbehaveExec({ program: '/bin/sh' }, fault)
  const { status, error } = await advanceUntil(run.test.clock, run.run(), '1s')
  expect({ status, code: error?.code }).toEqual({ status: 'failed', code })
  expect(await stored(run)).toBe(0)
})

test('fault F46: mongodump failing in its container: nothing is stored, and its reason is given', async () => {
  const run = await containerRun({ mongosh: true })
  run.programs.archive(archive.subarray(0, 600))
  run.programs.ends(
    1,
    '2026-11-25T23:49:59.773+0000\tFailed: error writing data for collection `shop.orders` to disk: error reading collection: connection(127.0.0.1:27017[-3]) socket was unexpectedly closed: EOF\n',
  )
  expect((await run.run()).error).toMatchObject({ code: 'MONGODUMP_SERVER_LOST' })
  expect(await stored(run)).toBe(0)
})

test('a container without the tools is named', async () => {
  const run = await containerRun({ tools: false })
  expect((await run.run()).error).toMatchObject({
    code: 'MONGODUMP_MISSING',
    message: expect.stringContaining("mongodump can't be started in the container mongodb of shop-0"),
  })
})

test('several collections, and fsyncLock, need somebody to ask', async () => {
  const listing = await containerRun({ options: { database: 'shop', collections: ['orders', 'users'] } })
  expect((await listing.run()).error).toMatchObject({ code: 'MONGODUMP_LISTING' })
  const lock = await containerRun({ options: { quiesce: 'fsyncLock' } })
  expect((await lock.run()).error).toMatchObject({
    code: 'MONGODB_LOCK_FAILED',
    message: expect.stringContaining('no mongosh'),
  })
})

test('fsyncLock by mongosh', async () => {
  const run = await containerRun({ mongosh: true, options: { quiesce: 'fsyncLock', verify: 'archive' } })
  expect((await run.run()).status).toBe('succeeded')
  expect(run.mongo.commands.filter((name) => name.startsWith('fsync'))).toEqual(['fsync', 'fsyncUnlock'])
  expect(run.mongo.locks).toBe(0)
})

test('the rights that it takes', () => {
  const permissions = (where: MongodumpOptions['where']): readonly string[] => {
    const { definition } = mongodump as unknown as {
      definition: {
        permissions(config: unknown): readonly { resource: string; verbs: readonly string[]; scope: string }[]
      }
    }
    return definition
      .permissions({ where })
      .map(({ resource, verbs, scope }) => `${resource} ${verbs.join(',')} ${scope}`)
  }
  expect(permissions('local')).toEqual([])
  expect(permissions({ container: 'db' })).toEqual(['pods get namespace', 'pods/exec create,get namespace'])
  expect(permissions({ container: 'db', selector: 'app=shop' })).toEqual([
    'pods get,list namespace',
    'pods/exec create,get namespace',
  ])
  expect(permissions({ container: 'db', pod: 'db-0', namespace: 'elsewhere' })).toEqual([
    'pods get cluster',
    'pods/exec create,get cluster',
  ])
})
