import { fakeExec, pluginConformance, type PluginCase } from '@holdfast/testing'
import { test } from 'vitest'
import { mongodump, type MongodumpOptions } from '../src/index.ts'
import { startFakeMongo } from './support/fake-mongo.ts'
import { createFakeTools } from './support/fake-tools.ts'

/** Part of the connection string, which is a secret as a whole. */
const canary = 'canary-in-the-connection-string'

function caseOf(name: string, options: Partial<MongodumpOptions>): PluginCase<MongodumpOptions> {
  return {
    name,
    async setUp() {
      const mongo = await startFakeMongo()
      mongo.collections.set('shop.orders', { documents: 10 }).set('shop.users', { documents: 2 })
      const tools = createFakeTools(mongo)
      return {
        options: { uri: { env: 'MONGODB_URI' }, ...options },
        env: { ...process.env, MONGODB_URI: `${mongo.uri}?appName=${canary}` },
        exec: fakeExec({ mongodump: tools.mongodump, mongorestore: tools.mongorestore }),
        secrets: [canary],
        state: () => ({ locks: mongo.locks }),
        close: () => mongo[Symbol.asyncDispose](),
      }
    },
  }
}

const cases = [caseOf('a server', {}), caseOf('a server that is locked', { quiesce: 'fsyncLock' })]
const neverArmed = { mongorestore: 'only restores arm it' }

// Of the first, what is not the same while the server is locked.
const checks = pluginConformance(mongodump, cases, { neverArmed }).filter(
  ({ name }) => name.startsWith('a server that is locked') || /undos is armed|change nothing|describe says/.test(name),
)
for (const { name, run } of checks) test(name, run)
