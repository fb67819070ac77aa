// fsyncLock as a durable undo, against a server on the wire.
import { advanceUntil } from '@holdfast/testing'
import { expect, test } from 'vitest'
import { dumpRun, type DumpRun } from '../support/dump-run.ts'

const locked = { quiesce: 'fsyncLock' } as const

test('the server is locked while it is dumped, and unlocked as soon as that is done', async () => {
  const run = await dumpRun({ options: locked })
  let during: number | undefined
  run.tools.duringDump = () => void (during = run.mongo.locks)
  expect((await run.run()).status).toBe('succeeded')
  expect({ during, after: run.mongo.locks }).toEqual({ during: 1, after: 0 })
  expect(await run.meta()).toMatchObject({ consistency: { by: 'fsyncLock' } })
  expect(run.test.journal.filter((line) => line.includes('fsync'))).toEqual([
    'armed mongodb-fsync-unlock',
    'mongodb-fsync-unlock done',
  ])
  // Verification reads the store: the server is free by then.
  const order = run.mongo.commands.filter((name) => name.startsWith('fsync'))
  expect(order).toEqual(['fsync', 'fsyncUnlock'])
})

test('a dump that fails unlocks all the same', async () => {
  const run = await dumpRun({ options: locked })
  run.tools.dumpFault = { bytes: 300, killedBy: 'SIGKILL' }
  expect(await run.run()).toMatchObject({ status: 'failed', error: { code: 'MONGODUMP_STOPPED' } })
  expect(run.mongo.locks).toBe(0)
})

test('a lock that somebody else holds is not ours: nothing is dumped, and it stays', async () => {
  const run = await dumpRun({ options: locked })
  run.mongo.locks = 1
  expect(await run.run()).toMatchObject({ status: 'failed', error: { code: 'MONGODB_LOCKED' } })
  expect(run.mongo.locks).toBe(1)
  expect(run.mongo.commands).not.toContain('fsync')
  expect(run.tools.calls.filter((call) => call.includes('--archive'))).toEqual([])
})

test('a lock that somebody else takes in the same moment stays; ours is given back', async () => {
  const run = await dumpRun({ options: locked })
  run.mongo.onCommand = (name) => void (name === 'fsync' && run.mongo.locks++)
  expect(await run.run()).toMatchObject({ status: 'failed', error: { code: 'MONGODB_LOCKED' } })
  expect(run.mongo.locks).toBe(1)
})

test('a lock that somebody else takes while ours holds stays as well', async () => {
  const run = await dumpRun({ options: locked })
  run.tools.duringDump = () => void run.mongo.locks++
  expect((await run.run()).status).toBe('succeeded')
  expect(run.mongo.locks).toBe(1)
  expect(run.said('warn')).toContainEqual(expect.stringContaining('somebody else still holds 1 locks'))
})

test('a server that was started again meanwhile holds no lock: nothing is taken from it', async () => {
  const run = await dumpRun({ options: locked })
  run.tools.duringDump = () => void (run.mongo.locks = 0)
  expect((await run.run()).status).toBe('succeeded')
  expect(run.mongo.commands).not.toContain('fsyncUnlock')
})

test.each(['drop-before', 'drop-after'] as const)(
  'an answer to the lock that is lost (%s) leaves nothing locked',
  async (fault) => {
    const run = await dumpRun({ options: locked })
    run.mongo.faults.set('fsync', fault)
    run.mongo.onDone = (name) => void (name === 'fsync' && run.mongo.faults.clear())
    const { status, error } = await run.run()
    expect({ status, error }).toMatchObject({ status: 'failed', error: { code: 'MONGODB_LOCK_FAILED' } })
    expect(run.mongo.locks).toBe(0)
    expect(run.tools.calls.filter((call) => call.includes('--archive'))).toEqual([])
  },
)

test('an answer to the unlock that is lost is looked after: it was done, and is not done twice', async () => {
  const run = await dumpRun({ options: locked })
  run.mongo.faults.set('fsyncUnlock', 'drop-after')
  expect((await run.run()).status).toBe('succeeded')
  expect(run.mongo.locks).toBe(0)
  expect(run.mongo.commands.filter((name) => name === 'fsyncUnlock')).toHaveLength(1)
})

test('an unlock that fails is tried again, and told if it stays', async () => {
  const run = await dumpRun({ options: locked })
  const refusal = {
    code: 13,
    codeName: 'Unauthorized',
    errmsg: 'not authorized on admin to execute command { fsyncUnlock: 1 }',
  }
  run.mongo.faults.set('fsyncUnlock', refusal)
  const end = run.test.run()
  const { outcome } = await advanceUntil(run.test.clock, end, '2s')
  expect(outcome).toMatchObject({ status: 'failed', error: { code: 'UNDO_FAILED' } })
  expect(run.test.engine.journal.pendingUndos()).toHaveLength(1)
  expect(run.mongo.locks).toBe(1)
  run.mongo.faults.clear()
  await run.test.restart()
  expect((await run.test.engine.recover()).undos).toMatchObject([{ result: 'done' }])
  expect(run.mongo.locks).toBe(0)
})

test.each([
  [
    'several hosts',
    (port: number) => `mongodb://127.0.0.1:${port},127.0.0.1:${port + 1}/`,
    'a replica set or several servers',
  ],
  [
    'a replica set',
    (port: number) => `mongodb://127.0.0.1:${port}/?replicaSet=rs0`,
    'a replica set or several servers',
  ],
])('%s: which server is to stand still is not guessed', async (_, uri, reason) => {
  const run = await dumpRun({ options: locked, uri: ({ port }) => uri(port) })
  expect(await run.run()).toMatchObject({
    status: 'failed',
    error: { code: 'MONGODB_LOCK_MEMBER', message: expect.stringContaining(reason) },
  })
  expect(run.mongo.commands).toEqual([])
})

test('the router of a sharded cluster is not locked', async () => {
  const run = await dumpRun({ options: locked })
  run.mongo.kind = 'sharded'
  expect(await run.run()).toMatchObject({ status: 'failed', error: { code: 'MONGODB_LOCK_MEMBER' } })
  expect(run.mongo.commands).not.toContain('fsync')
})

test('a right that is missing is named before anything is locked', async () => {
  const run: DumpRun = await dumpRun({ options: locked })
  run.mongo.faults.set('currentOp', { code: 13, codeName: 'Unauthorized', errmsg: 'not authorized on admin' })
  const { error } = await run.run()
  expect(error).toMatchObject({ code: 'MONGODB_FORBIDDEN', hint: expect.stringContaining('hostManager') })
  expect(run.mongo.commands).not.toContain('fsync')
})
