// Restores on the real runner, to a server that is a fake on the wire, by fake tools.
import { onTestFinished, expect, test } from 'vitest'
import { startFakeMongo } from '../support/fake-mongo.ts'
import { restoreRun, type RestoreRun } from '../support/restore-run.ts'

const documents = ({ mongo }: Pick<RestoreRun, 'mongo'>): Readonly<Record<string, number>> =>
  Object.fromEntries([...mongo.collections].map(([name, each]) => [name, each.documents]))

const restored = ({ tools }: RestoreRun): readonly string[] =>
  tools.calls.filter((call) => call.startsWith('mongorestore --archive')).slice(1)

test('a server that lost its data gets it back, and the counts are compared', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  expect(await run.restore()).toEqual({
    server: `127.0.0.1:${run.mongo.port}`,
    ran: 'here',
    collections: ['shop.orders', 'shop.users'],
    documents: 12,
    compared: 2,
    oplog: 'none',
    seen: 'driver',
  })
  expect(documents(run)).toEqual({ 'shop.orders': 10, 'shop.users': 2 })
  expect(restored(run)).toEqual(['mongorestore --archive --dryRun', 'mongorestore --archive --stopOnError'])
  expect(run.restores.journal).toContain('mongorestore disarmed')
})

test('what is there is not overwritten, and nothing is touched', async () => {
  const run = await restoreRun()
  run.mongo.collections.set('shop.orders', { documents: 7 })
  expect(await run.failure()).toMatchObject({
    code: 'MONGORESTORE_NOT_EMPTY',
    message: expect.stringContaining('shop.orders (7), shop.users (2)'),
    hint: expect.stringContaining('--to database=NAME'),
  })
  expect(documents(run)).toEqual({ 'shop.orders': 7, 'shop.users': 2 })
  expect(restored(run)).toEqual([])
})

test('an empty collection is no obstacle', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  run.mongo.collections.set('shop.orders', { documents: 0 })
  expect(await run.restore()).toMatchObject({ documents: 12 })
  expect(documents(run)).toEqual({ 'shop.orders': 10, 'shop.users': 2 })
})

test('--force drops collections of the same names first', async () => {
  const run = await restoreRun()
  run.mongo.collections.set('shop.orders', { documents: 3 }).set('shop.other', { documents: 1 })
  expect(await run.restore({}, true)).toMatchObject({ documents: 12, compared: 2 })
  expect(restored(run).at(-1)).toBe('mongorestore --archive --drop --stopOnError')
  expect(documents(run)).toEqual({ 'shop.orders': 10, 'shop.users': 2, 'shop.other': 1 })
})

test('drop=true needs --force', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  expect(await run.failure({ drop: 'true' })).toMatchObject({
    code: 'MONGORESTORE_SELECTION',
    message: expect.stringContaining('needs --force'),
  })
  expect(restored(run)).toEqual([])
})

test('--force with drop=false adds what is missing, and says what was there', async () => {
  const run = await restoreRun()
  run.mongo.collections.set('shop.orders', { documents: 4 })
  expect(await run.restore({ drop: 'false' }, true)).toMatchObject({
    documents: 6,
    compared: 0,
    notCompared: "2 can't be",
  })
  expect(restored(run).at(-1)).toBe('mongorestore --archive')
  expect(run.toldOf('warn')).toContainEqual(expect.stringContaining('6 documents were not added'))
})

test('under another name: beside what is there', async () => {
  const run = await restoreRun()
  expect(await run.restore({ database: 'scratch' })).toMatchObject({ collections: ['scratch.orders', 'scratch.users'] })
  expect(restored(run).at(-1)).toBe(
    'mongorestore --archive --nsInclude=shop.* --nsFrom=shop.* --nsTo=scratch.* --stopOnError',
  )
  expect(documents(run)).toMatchObject({ 'shop.orders': 10, 'scratch.orders': 10, 'scratch.users': 2 })
})

test('to another server, whose address is in a variable', async () => {
  const other = await startFakeMongo()
  onTestFinished(() => other[Symbol.asyncDispose]())
  const run = await restoreRun({ env: { OTHER: other.uri } })
  run.tools.servers.push(other)
  expect(await run.restore({ 'uri-env': 'OTHER' })).toMatchObject({ server: `127.0.0.1:${other.port}`, compared: 2 })
  expect(documents({ mongo: other })).toEqual({ 'shop.orders': 10, 'shop.users': 2 })
  const missing = await run.failure({ 'uri-env': 'NOWHERE' })
  expect(missing).toMatchObject({ code: 'SECRET_MISSING', message: expect.stringContaining('NOWHERE') })
})

test('some of it', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  expect(await run.failure({ nsInclude: 'shop.nothing' })).toMatchObject({
    code: 'MONGORESTORE_SELECTION',
    message: expect.stringContaining('it has shop.orders, shop.users'),
  })
  expect(await run.failure({ nsExclude: 'shop.*' })).toMatchObject({ code: 'MONGORESTORE_SELECTION' })
  expect(await run.failure({ nsFrom: 'shop.*', nsTo: 'x.y' })).toMatchObject({ code: 'MONGORESTORE_SELECTION' })
  expect(await run.failure({ nsFrom: 'shop.orders', nsTo: 'nothing' })).toMatchObject({
    message: expect.stringContaining('which is no DATABASE.COLLECTION'),
  })
  expect(await run.failure({ nsFrom: 'shop.orders', nsTo: 'shop.users' })).toMatchObject({
    message: expect.stringContaining('two collections would become shop.users'),
  })
})

test('database=NAME is for a backup of one database', async () => {
  const run = await restoreRun({ prepare: ({ collections }) => void collections.set('crm.people', { documents: 1 }) })
  expect(await run.failure({ database: 'scratch' })).toMatchObject({
    code: 'MONGORESTORE_SELECTION',
    message: expect.stringContaining('this one has shop, crm'),
  })
  expect(await run.restore({ nsInclude: 'crm.*', nsFrom: 'crm.*', nsTo: 'scratch.*' })).toMatchObject({ documents: 1 })
  expect(documents(run)).toMatchObject({ 'crm.people': 1, 'scratch.people': 1 })
})

test('holdfast restore --dry-run looks at everything and says what would be done', async () => {
  const run = await restoreRun()
  const steps = await run.check({ database: 'scratch' })
  expect(steps.map(({ kind, what }) => `${kind}: ${what}`)).toEqual([
    'exec: reads all of the archive, and checks it',
    'undo: removes what it has made, unless all of it comes to be there',
    'exec: mongorestore here: shop.orders as scratch.orders, shop.users as scratch.users',
    'api: counts documents',
  ])
  await expect(run.check()).rejects.toMatchObject({ code: 'MONGORESTORE_NOT_EMPTY' })
  expect((await run.check({}, true))[1]).toMatchObject({ kind: 'delete', what: 'drops shop.orders, shop.users' })
  expect(documents(run)).toEqual({ 'shop.orders': 10, 'shop.users': 2 })
})

test('a restore that fails half-way leaves nothing of what it made, and says so', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  run.mongo.collections.set('shop.users', { documents: 0 }).set('shop.other', { documents: 1 })
  run.tools.restoreFault = {
    says: 'shop.orders: error restoring from archive on stdin: (NotWritablePrimary) not primary',
  }
  const error = await run.failure()
  expect(error).toMatchObject({ code: 'MONGORESTORE_FAILED', message: expect.stringContaining('not primary') })
  expect(error.hint).toMatch(
    /what it has made is removed again .*; shop\.users on 127\.0\.0\.1:\d+ may be half restored/,
  )
  expect(documents(run)).toEqual({ 'shop.users': 0, 'shop.other': 1 })
  expect(run.toldOf('warn')).toContainEqual(expect.stringMatching(/removed again from .*: shop\.orders/))
  expect(run.toldOf('warn')).toContainEqual(
    expect.stringMatching(/half restored, and not to be used, on .*: shop\.users/),
  )
})

test('what somebody else has written to meanwhile is not removed again', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  run.tools.restoreFault = { killedBy: 'SIGKILL' }
  // The application is back, and at work: more documents than the backup has.
  run.tools.duringRestore = () => void run.mongo.collections.set('shop.orders', { documents: 500 })
  expect(await run.failure()).toMatchObject({ code: 'MONGORESTORE_FAILED' })
  expect(documents(run)).toEqual({ 'shop.orders': 500 })
  expect(run.toldOf('warn')).toContainEqual(
    expect.stringMatching(/shop\.orders on .* has more documents than the backup, .* was not removed/),
  )
})

test('fault F3: what a killed process has half restored is named by the next start and stays: an application may have written there since', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  const began = Promise.withResolvers<undefined>()
  run.tools.duringRestore = () => {
    began.resolve(undefined)
    return new Promise(() => {})
  }
  void run.failure().catch(() => {})
  await began.promise
  // Not all of what the backup has, and some of it is the application's.
  run.mongo.collections.set('shop.orders', { documents: 5 })
  await run.restores.restart()
  const { undos } = await run.restores.engine.recover()
  expect(undos).toMatchObject([{ result: 'done' }])
  expect(documents(run)).toMatchObject({ 'shop.orders': 5 })
  expect(run.toldOf('warn')).toContainEqual(
    expect.stringMatching(/^shop\.orders, shop\.users on .*: half restored, .* killed; not removed, .* --force/),
  )
})

test('a mongorestore that is still inserting when the undo looks is waited for', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  run.tools.restoreFault = { killedBy: 'SIGKILL' }
  let drops = 0
  run.mongo.onDone = (name) => {
    // What it had in its hands comes back once.
    if (name === 'drop' && ++drops === 1) run.mongo.collections.set('shop.orders', { documents: 1 })
  }
  expect(await run.failure()).toMatchObject({ code: 'MONGORESTORE_FAILED' })
  expect(documents(run)).toEqual({})
  expect(drops).toBe(2)
})

test('a dry run that fails touches nothing', async () => {
  const run = await restoreRun({ options: { verify: 'counts' } })
  run.mongo.collections.clear()
  run.tools.dryRunFault = { says: 'cannot restore with conflicting namespace destinations' }
  expect(await run.failure()).toMatchObject({
    code: 'MONGODUMP_DRY_RUN',
    message: expect.stringContaining('conflicting'),
  })
  expect(documents(run)).toEqual({})
})

test('documents that mongorestore gives up are a failure, although it calls that a success', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  run.mongo.onDone = (name) => {
    // Somebody writes in the moment between look and restore.
    if (name === 'listCollections') run.mongo.collections.set('shop.orders', { documents: 3 })
  }
  const error = await run.failure()
  expect(error).toMatchObject({
    code: 'MONGORESTORE_DOCUMENTS',
    message: expect.stringMatching(/could not restore 3 documents \(9 it could\): E11000 duplicate key/),
  })
})

test('what is not there afterwards is a failure', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  run.tools.duringRestore = () =>
    void (run.mongo.collections.get('shop.orders') && run.mongo.collections.set('shop.orders', { documents: 9 }))
  expect(await run.failure()).toMatchObject({
    code: 'MONGORESTORE_COUNTS',
    message: expect.stringContaining('shop.orders has 9 documents instead of 10'),
  })
  expect(documents(run)).toEqual({})
})

test('an archive that is damaged is refused before anything is touched', async () => {
  const run = await restoreRun({ plan: { encoding: { compression: 'none' } } })
  run.mongo.collections.clear()
  run.storage.fail({
    corrupt: (key, bytes) => {
      if (!key.endsWith('.data')) return bytes
      const damaged = Uint8Array.from(bytes)
      const at = damaged.length - 100
      damaged[at] = (damaged[at] ?? 0) ^ 1
      return damaged
    },
  })
  const error = await run.failure({}, true)
  expect(['MONGODUMP_ARCHIVE', 'ARTIFACT_DIGEST']).toContain(error.code)
  expect(restored(run)).toEqual(['mongorestore --archive --dryRun'])
  expect(documents(run)).toEqual({})
  expect(run.restores.journal.filter((line) => line.startsWith('armed'))).toEqual([])
})

test('the oplog is replayed when everything is restored as it was, and only then', async () => {
  const run = await restoreRun({ prepare: (mongo) => void (mongo.kind = 'replica-set') })
  run.mongo.collections.clear()
  expect(await run.restore()).toMatchObject({ oplog: 'replayed', compared: 0, notCompared: 'the oplog was replayed' })
  expect(restored(run).at(-1)).toBe('mongorestore --archive --stopOnError --oplogReplay')
  const reason = 'only a part is restored, or under other names'
  expect(await run.restore({ database: 'scratch' })).toMatchObject({ oplog: reason, compared: 2 })
  expect(await run.failure({ database: 'other', oplogReplay: 'true' })).toMatchObject({
    code: 'MONGORESTORE_SELECTION',
  })
  run.mongo.collections.clear()
  expect(await run.restore({ oplogReplay: 'false' })).toMatchObject({ oplog: 'oplogReplay=false', compared: 2 })
})

test('an oplog that is not there can’t be replayed', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  expect(await run.failure({ oplogReplay: 'true' })).toMatchObject({
    code: 'MONGORESTORE_SELECTION',
    message: expect.stringContaining('has no oplog to replay'),
  })
})

test('a server older than the dump’s is warned of', async () => {
  const run = await restoreRun()
  run.mongo.collections.clear()
  run.mongo.version = '6.0.5'
  await run.restore()
  expect(run.toldOf('warn')).toContainEqual(expect.stringContaining('the dump is of MongoDB 7.0.12, and'))
})

test('options of the tools', async () => {
  const run = await restoreRun({ options: { gzip: true } })
  run.mongo.collections.clear()
  await run.restore({ indexes: 'false', numParallelCollections: '2', numInsertionWorkers: '8' })
  expect(restored(run).at(-1)).toBe(
    'mongorestore --archive --gzip --stopOnError --noIndexRestore --numParallelCollections=2 --numInsertionWorkersPerCollection=8',
  )
})
