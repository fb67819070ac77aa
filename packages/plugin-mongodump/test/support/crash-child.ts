// A process that dumps a server under fsyncLock, to be killed: node crash-child.ts STATE-DIRECTORY URI
// Its mongodump tells the server when it begins and ends, so that it can be killed then, too.
import { createTestRun, fakeExec, replies } from '@holdfast/testing'
import { MongoClient } from 'mongodb'
import { mongodump } from '../../src/index.ts'
import { numbered, writeArchive } from './archive.ts'

const [stateDirectory, uri = ''] = process.argv.slice(2)
const archive = writeArchive({ collections: [{ database: 'shop', collection: 'orders', documents: numbered(10) }] })
const version = { stdout: 'mongodump version: 100.10.0\n' }

async function tell(what: string): Promise<void> {
  const client = await MongoClient.connect(uri)
  await client
    .db('admin')
    .command({ [what]: 1 })
    .catch(() => {})
  await client.close()
}

const run = await createTestRun({
  use: [mongodump({ uri: { env: 'MONGODB_URI' }, quiesce: 'fsyncLock', verify: 'counts' })],
  exec: fakeExec({
    mongodump: async ({ command }) => {
      if (command.includes('--version')) return version
      await tell('dumpBegins')
      await tell('dumpEnds')
      return { stdout: archive }
    },
    mongorestore: replies(version),
  }),
  env: { ...process.env, MONGODB_URI: uri },
  ...(stateDirectory !== undefined && { stateDirectory }),
})
const { outcome } = await run.run()
await run.close()
process.stdout.write(outcome.status)
