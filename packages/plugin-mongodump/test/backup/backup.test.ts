// Dumps on the real runner, of a server that is a fake on the wire, by fake tools.
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { everyType, numbered, writeArchive } from '../support/archive.ts'
import { all, dumpRun, type DumpRun } from '../support/dump-run.ts'
import type { ToolFault } from '../support/fake-tools.ts'

/** Nothing came of it, and the backup that was there before is as it was. */
async function expectNothingStored({ stored, storage }: DumpRun, before = 0): Promise<void> {
  expect(await stored()).toBe(before)
  expect([...storage.objects.keys()].filter((key) => key.includes('dump.archive'))).toHaveLength(before === 0 ? 0 : 3)
}

test('a dump goes into the store, and its manifest says what it is', async () => {
  const run = await dumpRun()
  const { status, target } = await run.run()
  expect(status).toBe('succeeded')
  expect(target).toMatchObject({ verification: 'verified', points: [{ ref: { name: 'dump.archive' } }] })
  expect(await run.meta()).toEqual({
    what: 'all databases',
    tool: { version: '100.10.0', ran: 'here' },
    server: { kind: 'standalone', version: '7.0.12', writable: true, seen: 'driver' },
    consistency: { by: 'none', reason: 'the server is no member of a replica set, and has none' },
    archive: {
      version: '0.1',
      gzip: false,
      bytes: expect.any(Number),
      documents: 12,
      collections: [
        { namespace: 'shop.orders', type: 'collection', documents: 10, bytes: 140 },
        { namespace: 'shop.users', type: 'collection', documents: 2, bytes: 28 },
      ],
    },
    counts: { compared: 2, notCompared: [], differences: [] },
  })
  expect(run.tools.calls).toEqual([
    'mongodump --version',
    'mongorestore --version',
    'mongodump --archive',
    'mongorestore --archive --dryRun',
  ])
  expect(run.said('warn')).toEqual([])
})

test('fault F54: the connection string is in a file of mode 0600 that goes again, and nowhere else', async () => {
  const run = await dumpRun({
    uri: ({ port }) => `mongodb://127.0.0.1:${port}/?appName=canary-7f3a`,
    options: { database: 'shop', collections: ['orders'], query: { n: { $lt: { $numberInt: '5' } } } },
  })
  run.tools.dumpFault = {
    says: `failed to connect to mongodb://ada:canary-pw@127.0.0.1:${run.mongo.port}/: server selection error`,
  }
  const { error } = await run.run()
  expect(run.tools.configs[0]).toEqual({
    text: expect.stringMatching(/^uri: "mongodb:\/\/127\.0\.0\.1:\d+\/\?appName=canary-7f3a&directConnection=true"\n$/),
    mode: '600',
  })
  expect(error?.message).toContain('failed to connect to mongodb://127.0.0.1')
  const everything = [
    run.tools.calls.join('\n'),
    run.test.log.join('\n'),
    JSON.stringify(run.test.events),
    String(error?.hint),
  ]
  for (const text of everything) expect(text).not.toMatch(/canary/)
})

test('the options become arguments', async () => {
  const run = await dumpRun({
    options: {
      database: 'shop',
      excludeCollections: ['users'],
      gzip: true,
      readPreference: 'secondary',
      numParallelCollections: 2,
      archive: 'shop.gz',
      verify: 'archive',
    },
    plan: { encoding: { compression: 'none' } },
  })
  expect((await run.run()).status).toBe('succeeded')
  expect(run.tools.calls.at(-1)).toBe(
    'mongodump --archive --db=shop --excludeCollection=users --gzip --readPreference=secondary --numParallelCollections=2',
  )
  expect(await run.meta()).toMatchObject({
    archive: { gzip: true, documents: 10 },
    counts: { reason: 'it was not asked for' },
  })
  const [, bytes] = [...run.storage.objects].find(([key]) => key.endsWith('/shop.gz.data')) ?? []
  expect(gunzipSync(bytes ?? '').subarray(0, 4)).toEqual(Buffer.from('6de29981', 'hex'))
})

test('several collections are dumped by leaving the others out', async () => {
  const run = await dumpRun({ options: { database: 'shop', collections: ['orders', 'users'] } })
  run.mongo.collections.set('shop.sessions', { documents: 5 }).set('shop.jobs', { documents: 1 })
  expect((await run.run()).status).toBe('succeeded')
  expect(run.tools.calls).toContain(
    'mongodump --archive --db=shop --excludeCollection=sessions --excludeCollection=jobs',
  )
  expect(await run.meta()).toMatchObject({ what: 'shop.orders, shop.users', archive: { documents: 12 } })
})

test('documents of every type of BSON go through the check and the store unchanged', async () => {
  const archive = writeArchive({
    collections: [{ database: 'all', collection: 'types', documents: [everyType(), ...numbered(3), everyType()] }],
    oplog: [everyType()],
  })
  const run = await dumpRun({ options: { verify: 'dry-run' } })
  run.mongo.collections.clear()
  run.mongo.collections.set('all.types', { documents: 5 })
  run.tools.dumpFault = { garble: () => archive, exitCode: 0 }
  expect((await run.run()).status).toBe('succeeded')
  const [artifact] = await all(run.test.engine.services.store().list({}))
  const { signal } = new AbortController()
  const back = await all(run.test.engine.services.store().open(artifact?.id ?? '', { signal }))
  expect(Buffer.concat(back).equals(archive)).toBe(true)
})

// ---- F46: what must not become a backup

const gone =
  'error writing data for collection `shop.orders` to disk: error reading collection: connection(127.0.0.1:27017[-3]) socket was unexpectedly closed: EOF'

test.each<readonly [string, ToolFault, string, RegExp]>([
  ['exit 1 after partial output', { bytes: 700, says: 'something odd' }, 'MONGODUMP_FAILED', /something odd/],
  ['exit 1 after all output', { says: 'something odd' }, 'MONGODUMP_FAILED', /something odd/],
  ['exit 0 with 0 bytes', { bytes: 0, exitCode: 0 }, 'MONGODUMP_ARCHIVE', /has no bytes/],
  ['exit 0 with half of it', { bytes: 700, exitCode: 0 }, 'MONGODUMP_ARCHIVE', /cut off after 700 bytes/],
  [
    'exit 0 with something else',
    { garble: () => Buffer.from('help!'), exitCode: 0 },
    'MONGODUMP_ARCHIVE',
    /does not begin/,
  ],
  ['killed', { bytes: 700, killedBy: 'SIGKILL' }, 'MONGODUMP_STOPPED', /killed by SIGKILL/],
  ['killed in a shell', { bytes: 700, exitCode: 137 }, 'MONGODUMP_STOPPED', /137/],
  ['server gone mid-dump', { says: gone }, 'MONGODUMP_SERVER_LOST', /after 12 documents: .*unexpectedly closed/],
  [
    'authentication failure',
    {
      bytes: 0,
      says: 'can\'t create session: failed to connect to mongodb://u:p@h/: connection() error occurred during connection handshake: auth error: sasl conversation error: unable to authenticate using mechanism "SCRAM-SHA-1": (AuthenticationFailed) Authentication failed.',
    },
    'MONGODB_AUTH',
    /does not let us in/,
  ],
  [
    'no right to read',
    {
      bytes: 700,
      says: 'error creating intents to dump: (Unauthorized) not authorized on shop to execute command { listCollections: 1 }',
    },
    'MONGODB_FORBIDDEN',
    /not authorized on shop/,
  ],
  [
    'server not there',
    {
      bytes: 0,
      says: "can't create session: failed to connect to mongodb://127.0.0.1:1/: server selection error: server selection timeout, current topology: { Type: Single }",
    },
    'MONGODB_UNREACHABLE',
    /server selection error/,
  ],
  [
    'oplog overrun',
    { says: 'oplog overflow: mongodump was unable to capture all new oplog entries during execution' },
    'MONGODUMP_OPLOG_BROKEN',
    /oplog overflow/,
  ],
  [
    'a renamed collection',
    { says: 'error dumping oplog: cannot dump with oplog while renames occur' },
    'MONGODUMP_OPLOG_BROKEN',
    /renames/,
  ],
])(
  'fault F46: %s: nothing is committed, what was there stays, and the error says so',
  async (_, fault, code, message) => {
    const run = await dumpRun()
    expect((await run.run()).status).toBe('succeeded')
    run.tools.dumpFault = fault
    const { status, target, error } = await run.run()
    expect({ status, target: target?.status, points: target?.points }).toEqual({
      status: 'failed',
      target: 'failed',
      points: [],
    })
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(error?.hint).toMatch(/(not|no|Nothing).*(backup|kept)/)
    expect(error?.message).not.toContain('u:p@')
    await expectNothingStored(run, 1)
  },
)

test('fault F46: a collection that is not there is no empty backup, although mongodump calls it a success', async () => {
  const run = await dumpRun({ options: { database: 'shop', collections: ['order'] } })
  const { error } = await run.run()
  expect(error).toMatchObject({
    code: 'MONGODUMP_NAMESPACE',
    message: 'there is no collection shop.order on the server',
  })
  expect(run.tools.calls.filter((call) => call.includes('--archive'))).toEqual([])
  await expectNothingStored(run)
  // Where nobody has looked before, mongodump says it.
  const unseen = await dumpRun({ options: { database: 'shop', collections: ['order'], verify: 'archive' } })
  expect((await unseen.run()).error).toMatchObject({ code: 'MONGODUMP_NAMESPACE' })
  await expectNothingStored(unseen)
})

test('fault F46: a database that is not there is no empty backup, unless that is what is wanted', async () => {
  const run = await dumpRun({ options: { database: 'shopp' } })
  const { error } = await run.run()
  expect(error).toMatchObject({ code: 'MONGODUMP_EMPTY', message: 'the dump of shopp holds no collection at all' })
  await expectNothingStored(run)
  const allowed = await dumpRun({ options: { database: 'shopp', allowEmpty: true } })
  expect((await allowed.run()).status).toBe('succeeded')
})

test('fault F46: a collection that goes missing between list and dump is not left out quietly', async () => {
  const run = await dumpRun({ options: { database: 'shop', collections: ['orders', 'users'] } })
  run.tools.dumpFault = undefined
  run.mongo.onDone = (name) => {
    // After the last look, before mongodump has its own.
    if (name === 'listCollections' && run.mongo.commands.filter((each) => each === name).length === 2) {
      run.mongo.collections.delete('shop.users')
    }
  }
  expect((await run.run()).error).toMatchObject({
    code: 'MONGODUMP_NAMESPACE',
    message: expect.stringContaining('shop.users'),
  })
  await expectNothingStored(run)
})

// ---- programs

test.each([
  ['3.6.8', 'MONGODUMP_VERSION', 'mongodump here is of version 3.6.8; needed is 100 or newer'],
  ['r4.2.8', 'MONGODUMP_VERSION', 'mongodump here is of version r4.2.8; needed is 100 or newer'],
  [
    'built-without-version-string',
    'MONGODUMP_VERSION',
    'mongodump here is of version built-without-version-string; needed is 100 or newer',
  ],
])('tools of version %s are refused before anything runs', async (version, code, message) => {
  const run = await dumpRun()
  run.tools.version = version
  const { status, error } = await run.run()
  expect({ status, error }).toMatchObject({ status: 'failed', error: { code, message } })
  expect(error?.hint).toContain('There is no new backup')
  expect(run.mongo.commands).toEqual([])
})

test('a missing program is named, with where it was looked for', async () => {
  const run = await dumpRun({ options: { tools: { mongorestore: ['/opt/tools/mongorestore'] } } })
  expect((await run.run()).error).toMatchObject({
    code: 'MONGODUMP_MISSING',
    message: expect.stringContaining("/opt/tools/mongorestore can't be started here"),
  })
  // Who does not ask for a dry run needs only the one.
  const one = await dumpRun({ options: { verify: 'counts', tools: { mongorestore: ['/opt/tools/mongorestore'] } } })
  expect((await one.run()).status).toBe('succeeded')
})

// ---- what the server says

test('a dump with fewer documents than the server had is kept, unverified, and older ones are not pruned', async () => {
  const run = await dumpRun({ plan: { retention: { latest: 1 } } })
  expect((await run.run()).status).toBe('succeeded')
  run.tools.dumpFault = { loses: { 'shop.orders': 4 }, exitCode: 0 }
  const { status, target, error } = await run.run()
  expect({ status, verification: target?.verification }).toEqual({ status: 'partial', verification: 'unverified' })
  expect(error).toMatchObject({
    code: 'MONGODUMP_COUNTS',
    message: 'the dump is not what the server had, in 1 collection: shop.orders has 6 documents, the server had 10',
  })
  expect(await run.stored()).toBe(2)
  expect(await run.meta()).toMatchObject({
    counts: { differences: [{ namespace: 'shop.orders', dumped: 6, before: 10, after: 10 }] },
  })
})

test('what was written or removed meanwhile is no difference', async () => {
  const run = await dumpRun()
  run.tools.duringDump = () =>
    void run.mongo.collections.set('shop.orders', { documents: 12 }).set('shop.new', { documents: 3 })
  expect((await run.run()).status).toBe('succeeded')
  run.tools.duringDump = () => void run.mongo.collections.delete('shop.users')
  expect((await run.run()).status).toBe('succeeded')
})

test('a server whose bookkeeping is wrong is counted document by document, before anybody is alarmed', async () => {
  const run = await dumpRun()
  run.mongo.collections.set('shop.orders', { documents: 10, counted: 17 })
  expect((await run.run()).status).toBe('succeeded')
  expect(run.mongo.commands.filter((name) => name === 'aggregate')).toHaveLength(1)
  expect(await run.meta()).toMatchObject({ counts: { compared: 2, differences: [] } })
})

test('a collection in which documents come and go may be given slack', async () => {
  const busy = async (countTolerance: number): Promise<string> => {
    const run = await dumpRun({ options: { countTolerance } })
    run.mongo.collections.set('shop.orders', { documents: 100 })
    run.tools.dumpFault = { loses: { 'shop.orders': 5 }, exitCode: 0 }
    return (await run.run()).status
  }
  expect(await busy(0.05)).toBe('succeeded')
  expect(await busy(0.04)).toBe('partial')
})

test('views, time series and what mongodump leaves out are not compared, and the manifest says which', async () => {
  const run = await dumpRun()
  run.mongo.collections
    .set('shop.cheap', { type: 'view', documents: 3 })
    .set('shop.weather', { type: 'timeseries', documents: 500 })
    .set('shop.system.profile', { documents: 9 })
    .set('local.startup_log', { documents: 1 })
  run.mongo.batchSize = 2
  expect((await run.run()).status).toBe('succeeded')
  expect(await run.meta()).toMatchObject({ counts: { compared: 2, notCompared: ['shop.cheap', 'shop.weather'] } })
})

test.each([
  [
    'wrong password',
    (mongo: { readonly port: number }) => `mongodb://ada:wrong@127.0.0.1:${mongo.port}/`,
    'MONGODB_AUTH',
    'Authentication failed',
  ],
  ['nobody there', () => 'mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300', 'MONGODB_UNREACHABLE', 'ECONNREFUSED'],
  ['no connection string', () => 'postgres://ada@db/', 'MONGODB_URI', 'does not begin with mongodb'],
])('%s: said before mongodump is started', async (_, uri, code, message) => {
  const run = await dumpRun({ uri })
  const { status, error } = await run.run()
  expect({ status, error }).toMatchObject({
    status: 'failed',
    error: { code, message: expect.stringContaining(message) },
  })
  expect(run.tools.calls.filter((call) => call.includes('--archive'))).toEqual([])
  expect(`${error?.message} ${error?.hint}`).not.toMatch(/wrong@|ada/)
  await expectNothingStored(run)
})

test('a right that is missing is named', async () => {
  const run = await dumpRun()
  run.mongo.faults.set('listDatabases', {
    code: 13,
    codeName: 'Unauthorized',
    errmsg: 'not authorized on admin to execute command { listDatabases: 1 }',
  })
  expect((await run.run()).error).toMatchObject({
    code: 'MONGODB_FORBIDDEN',
    message: expect.stringContaining('does not allow to list its databases: not authorized on admin'),
  })
})

test('a dry run that mongorestore does not take leaves the dump unverified', async () => {
  const run = await dumpRun()
  run.tools.dryRunFault = { says: 'stream or file does not appear to be a mongodump archive' }
  const { status, target, error } = await run.run()
  expect({ status, verification: target?.verification }).toEqual({ status: 'partial', verification: 'unverified' })
  expect(error).toMatchObject({ code: 'MONGODUMP_DRY_RUN', message: expect.stringContaining('does not appear to be') })
})

test('where backups are made without the key, a dry run that nobody has asked for is left out, and that is said', async () => {
  // Somebody's whose secret key nobody has.
  const recipients = ['age158mzh9d06ckrra52z69ju8rrdjsjr8gr5cyfa4g4z8uthylkq9vse0g9j3']
  const encoding = { recipients }
  const run = await dumpRun({ plan: { encoding } })
  expect(await run.run()).toMatchObject({ status: 'succeeded', target: { verification: 'verified' } })
  expect(run.said('info').join()).toContain(
    'mongorestore was not asked about the dump: it can be decrypted elsewhere only',
  )
  const asked = await dumpRun({ plan: { encoding }, options: { verify: 'dry-run' } })
  expect(await asked.run()).toMatchObject({ status: 'partial', error: { code: 'ARTIFACT_KEY_MISSING' } })
})

test('a store that fails stops mongodump, and says itself what it has', async () => {
  const run = await dumpRun()
  run.storage.fail({ failPut: { number: 2, afterBytes: 100 } })
  expect((await run.run()).error).toMatchObject({ code: 'STORAGE_IO' })
  await expectNothingStored(run)
})

test('holdfast plan says what would be done', async () => {
  const run = await dumpRun({ options: { database: 'shop', where: { container: 'db', pod: 'shop-0' } } })
  const { services } = run.test.engine
  const [participant] = services.config().plans[0]?.participants ?? []
  const config = participant?.config
  const steps = await participant?.describe?.({ config } as never)
  expect(steps).toEqual([
    { kind: 'api', what: 'counts documents before and after' },
    { kind: 'exec', what: 'mongodump of shop', where: 'in the container db of shop-0' },
    { kind: 'artifact', what: 'dump.archive' },
    { kind: 'exec', what: 'mongorestore --dryRun of what was stored', where: 'in the container db of shop-0' },
  ])
})
