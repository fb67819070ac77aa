// mongodump and mongorestore of MongoDB, through the command line that the image has: what was dumped comes back, bit by bit; what
// ends too early is no backup; a restore that is killed leaves nothing that looks whole.
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createProject, runCommand, startCommand, type Project } from './support/cli.ts'
import { waitFor, type Ended } from './support/kubectl.ts'
import { contents, fill, installMongo, startMongo, toolsPath, type MongoServer } from './support/mongo.ts'
import { startStore, type TestStore } from './support/store.ts'

const long = process.env['HOLDFAST_TEST_LONG'] === '1'
const count = long ? 1_000_000 : 100_000
const minute = 60_000

let mongo: MongoServer
beforeAll(async () => {
  await installMongo()
  mongo = await startMongo()
}, 20 * minute)
afterAll(() => mongo?.stop())

interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string
}

interface Report {
  readonly status: string
  readonly error?: Failure
  readonly targets: readonly { readonly status: string; readonly verification: string; readonly error?: Failure }[]
}

/** A project that dumps a database into a store of its own. */
function dumping(uri: string, options: string, store: Pick<TestStore, 'url' | 'env'>, encoding = ''): Dumping {
  const project = createProject({
    'holdfast.yaml': `storage: ${JSON.stringify(store.url)}
${encoding}
plans:
  shop:
    use: [{ '@holdfast/plugin-mongodump#mongodump': { uri: { env: MONGODB_URI }, ${options} } }]
`,
  })
  const env = { PATH: toolsPath, MONGODB_URI: uri, ...store.env }
  const holdfast = (...args: readonly string[]): Promise<Ended> =>
    runCommand('holdfast', [...args, '--state-dir', project.at('state')], { cwd: project.path, env })
  return {
    project,
    env,
    holdfast,
    async run() {
      const { stdout, stderr } = await holdfast('run', 'shop', '--json')
      if (stdout === '') throw new Error(stderr)
      return JSON.parse(stdout) as Report
    },
  }
}

interface Dumping {
  readonly project: Project
  readonly env: NodeJS.ProcessEnv
  holdfast(...args: readonly string[]): Promise<Ended>
  run(): Promise<Report>
}

describe(`${count} documents of every type that the server stores`, () => {
  let original: ReadonlyMap<string, string>
  const recipient = 'age158mzh9d06ckrra52z69ju8rrdjsjr8gr5cyfa4g4z8uthylkq9vse0g9j3'
  const identity = 'AGE-SECRET-KEY-170WF2E2S7GTJWHYWLS959AZJ5Z5F07RKNYARYGLDRUJLZNMCU3GQQYUG86'
  const encrypted = `encoding: { compression: zstd, recipients: [${recipient}], identity: { env: AGE_IDENTITY } }`

  beforeAll(async () => {
    await fill(mongo, 'shop', 'orders', count)
    await fill(mongo, 'shop', 'few', 10)
    original = await contents(mongo, 'shop', 'orders')
    if (original.size !== count) throw new Error(`there are ${original.size} documents to begin with`)
  }, 30 * minute)

  test.each([
    ['zstd in a directory', 'directory', 'encoding: { compression: zstd }', 'data.zst'],
    ['zstd and age in S3', 's3', encrypted, 'data.zst.age'],
  ] as const)(
    '%s: come back as they were',
    async (name, kind, encoding, suffix) => {
      const store = await startStore(kind)
      try {
        const dumps = dumping(
          mongo.uri,
          'database: shop',
          { ...store, env: { ...store.env, AGE_IDENTITY: identity } },
          encoding,
        )
        const report = await dumps.run()
        expect(report).toMatchObject({ status: 'succeeded', targets: [{ verification: 'verified' }] })
        expect((await store.keys()).filter((key) => key.endsWith(suffix))).toHaveLength(1)
        const copy = `copy_${name.replaceAll(' ', '_')}`
        // FerretDB refuses indexes as mongorestore makes them, so there are none here.
        const restored = await dumps.holdfast('restore', '--plan', 'shop', '--to', `database=${copy}`)
        expect(restored).toMatchObject({ code: 0 })
        expect(restored.stdout + restored.stderr).toMatch(/"compared": ?2/)
        const back = await contents(mongo, copy, 'orders')
        expect(back.size).toBe(original.size)
        let different = 0
        for (const [key, digest] of original) if (back.get(key) !== digest) different++
        expect(different).toBe(0)
        await mongo.client.db(copy).dropDatabase()
        dumps.project.remove()
      } finally {
        await store.stop()
      }
    },
    30 * minute,
  )
})

describe('what must not become a backup', () => {
  const none = async (store: TestStore): Promise<void> => {
    expect((await store.keys()).filter((key) => key.includes('dump.archive'))).toEqual([])
  }

  test('fault F46: a server that is killed in the middle of a dump, of which mongodump leaves an archive that looks whole', async () => {
    const own = await startMongo()
    const store = await startStore('directory')
    try {
      await fill(own, 'shop', 'orders', 50_000)
      const dumps = dumping(own.uri, 'database: shop', store)
      const running = startCommand('holdfast', ['run', 'shop', '--json', '--state-dir', dumps.project.at('state')], {
        cwd: dumps.project.path,
        env: dumps.env,
      })
      // It is under way when bytes arrive in the store.
      await waitFor('the dump to be under way', async () => (await store.bytesWritten()) > 10_000 || undefined, 60)
      own.process.kill('SIGKILL')
      expect(await running.ended).toBe(1)
      expect(running.output()).toMatch(/MONGODUMP_SERVER_LOST|MONGODB_UNREACHABLE/)
      await none(store)
    } finally {
      await own.stop()
      await store.stop()
    }
  })

  test.each([
    ['login', (port: number) => `mongodb://ada:wrong@127.0.0.1:${port}/`, 'database: shop', 'MONGODB_AUTH'],
    ['address', () => 'mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=500', 'database: shop', 'MONGODB_UNREACHABLE'],
    ['database', (port: number) => `mongodb://127.0.0.1:${port}/`, 'database: shopp', 'MONGODUMP_EMPTY'],
    [
      'collection',
      (port: number) => `mongodb://127.0.0.1:${port}/`,
      'database: shop, collections: [order]',
      'MONGODUMP_NAMESPACE',
    ],
    ['oplog', (port: number) => `mongodb://127.0.0.1:${port}/`, 'oplog: true', 'MONGODUMP_NO_OPLOG'],
  ] as const)('a wrong %s: a typed error, and nothing stored', async (_, uri, options, code) => {
    const store = await startStore('directory')
    try {
      const { status, error, targets } = await dumping(uri(mongo.port), options, store).run()
      expect({ status, code: targets[0]?.error?.code ?? error?.code }).toEqual({ status: 'failed', code })
      await none(store)
    } finally {
      await store.stop()
    }
  })
})

describe('restoring', () => {
  let store: TestStore
  let dumps: Dumping
  beforeAll(async () => {
    await fill(mongo, 'crm', 'people', 20_000)
    store = await startStore('directory')
    dumps = dumping(mongo.uri, 'database: crm', store)
    const { status } = await dumps.run()
    if (status !== 'succeeded') throw new Error(`the dump ${status}`)
  }, 5 * minute)
  afterAll(() => store?.stop())

  test('does not overwrite, unless it is forced to', async () => {
    const refused = await dumps.holdfast('restore', '--plan', 'shop', '--to', 'uri-env=MONGODB_URI')
    expect(refused.code).toBe(1)
    expect(refused.stderr + refused.stdout).toContain('MONGORESTORE_NOT_EMPTY')
    await mongo.client.db('crm').collection('people').deleteMany({ yes: true })
    const forced = await dumps.holdfast('restore', '--plan', 'shop', '--to', 'uri-env=MONGODB_URI', '--force')
    expect(forced).toMatchObject({ code: 0 })
    expect(await mongo.client.db('crm').collection('people').countDocuments()).toBe(20_000)
  })

  test('fault F3: killed in the middle, the next start says what is half restored, and leaves it to people', async () => {
    const running = startCommand(
      'holdfast',
      ['restore', '--plan', 'shop', '--to', 'database=halfway', '--state-dir', dumps.project.at('state')],
      { cwd: dumps.project.path, env: dumps.env },
    )
    const halfway = mongo.client.db('halfway')
    await waitFor(
      'documents to arrive',
      async () => (await halfway.collection('people').estimatedDocumentCount()) > 0 || undefined,
      60,
    )
    running.kill('SIGKILL')
    await running.ended
    // Whatever is started next on this state directory.
    const next = await dumps.holdfast('undo', 'run', '--all', '--yes')
    expect(next.stdout + next.stderr).toMatch(/halfway\.people.*half restored, .* killed; not removed/)
    expect((await dumps.holdfast('undo', 'list')).stdout).not.toContain('mongorestore')
    const again = await dumps.holdfast('restore', '--plan', 'shop', '--to', 'database=halfway', '--force')
    expect(again).toMatchObject({ code: 0 })
    expect(await halfway.collection('people').countDocuments()).toBe(20_000)
  })

  test('leaves no connection string behind', () => {
    const left = readdirSync(dumps.project.at('state'), { recursive: true, encoding: 'utf8' })
    expect(left.filter((name) => /mongodb-.*\.yaml/.test(name))).toEqual([])
  })
})
