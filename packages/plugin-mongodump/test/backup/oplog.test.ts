// Whether the oplog is dumped along: asked of a server on the wire, because the one that is real has no replica set.
import { expect, test } from 'vitest'
import type { MongodumpOptions } from '../../src/index.ts'
import { dumpRun, type DumpRun } from '../support/dump-run.ts'
import type { FakeMongo } from '../support/fake-mongo.ts'

async function runOn(
  kind: FakeMongo['kind'],
  options: Partial<MongodumpOptions>,
): Promise<DumpRun & Awaited<ReturnType<DumpRun['run']>>> {
  const run = await dumpRun({ options })
  run.mongo.kind = kind
  return { ...run, ...(await run.run()) }
}

const dumped = ({ tools }: DumpRun): string | undefined =>
  tools.calls.find((call) => call.startsWith('mongodump --archive'))

test('a replica set is dumped with its oplog, and the manifest says that the dump is of one moment', async () => {
  for (const oplog of [undefined, 'auto', true] as const) {
    const run = await runOn('replica-set', oplog === undefined ? {} : { oplog })
    expect(run.status).toBe('succeeded')
    expect(dumped(run)).toBe('mongodump --archive --oplog')
    expect(await run.meta()).toMatchObject({
      server: { kind: 'replica-set', replicaSet: 'rs0', member: `127.0.0.1:${run.mongo.port}` },
      consistency: { by: 'oplog' },
      archive: { documents: 12, oplogEntries: 3 },
    })
  }
})

test.each<readonly [string, FakeMongo['kind'], Partial<MongodumpOptions>, string]>([
  ['a standalone server', 'standalone', {}, 'the server is no member of a replica set, and has none'],
  ['a sharded cluster', 'sharded', {}, 'a sharded cluster has one per shard'],
  ['one database', 'replica-set', { database: 'shop' }, 'only one database is dumped'],
  ['oplog: false', 'replica-set', { oplog: false }, 'it was not asked for'],
])('%s: without the oplog, and the log and the manifest say why', async (_, kind, options, reason) => {
  const run = await runOn(kind, options)
  expect(run.status).toBe('succeeded')
  expect(dumped(run)).not.toContain('--oplog')
  expect(await run.meta()).toMatchObject({ consistency: { by: 'none', reason } })
  expect(run.said('info')).toContain(`the dump is not of one moment: ${reason}`)
})

test.each<readonly [FakeMongo['kind'], string]>([
  ['standalone', 'the server is no member of a replica set'],
  ['sharded', 'a sharded cluster has one per shard'],
])('oplog: true is refused on a %s server, before mongodump is started', async (kind, reason) => {
  const run = await runOn(kind, { oplog: true })
  expect(run).toMatchObject({
    status: 'failed',
    error: { code: 'MONGODUMP_NO_OPLOG', message: expect.stringContaining(reason) },
  })
  expect(dumped(run)).toBeUndefined()
  expect(await run.stored()).toBe(0)
})

test('oplog: true and one database contradict each other already in the configuration', async () => {
  await expect(dumpRun({ options: { oplog: true, database: 'shop' } })).rejects.toThrow(
    'mongodump takes the oplog along only with all databases',
  )
})
