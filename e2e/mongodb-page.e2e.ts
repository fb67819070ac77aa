// docs/start/mongodb.md from top to bottom, and the commands of docs/mongodb.md: as they stand there, with a real mongodump.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createProject } from './support/cli.ts'
import { contents, fill, installMongo, startMongo, toolsPath, type MongoServer } from './support/mongo.ts'
import { readerOf, type Reader } from './support/page.ts'

let mongo: MongoServer
let other: MongoServer
beforeAll(async () => {
  await installMongo()
  ;[mongo, other] = await Promise.all([startMongo(), startMongo()])
  await fill(mongo, 'shop', 'orders', 300)
}, 20 * 60_000)
afterAll(() => Promise.all([mongo?.stop(), other?.stop()]))

const projects = [createProject(), createProject()] as const
afterAll(() => projects.forEach((project) => project.remove()))

/** Somebody whose server is ours, and whose backups are below their working directory. */
function reader(page: string, { path }: (typeof projects)[0], env: NodeJS.ProcessEnv = {}): Reader {
  const here = { 'mongodb://backup:secret@localhost:27017/admin': mongo.uri, '/backups': `${path}/backups` }
  return readerOf({ page, cwd: path, env: { PATH: toolsPath, ...env }, here })
}

async function isCopied(database: string, from = mongo): Promise<void> {
  const [original, copy] = [await contents(mongo, 'shop', 'orders'), await contents(from, database, 'orders')]
  expect(original.size).toBe(300)
  expect(copy).toEqual(original)
}

test('docs/start/mongodb.md, from top to bottom', async () => {
  const { write, type } = reader('docs/start/mongodb.md', projects[0])
  write()
  const said = await type('address', 'backup', 'restore')
  expect(said).toMatch(/✓ shop succeeded/)
  await isCopied('shop_copy')
  await mongo.client.db('shop_copy').dropDatabase()
})

test('docs/mongodb.md: a backup, its manifest, and the ways back', async () => {
  const env = { MONGODB_URI: mongo.uri, OTHER_URI: other.uri, HOLDFAST_STATE_DIR: projects[1].at('state') }
  const { write, type } = reader('docs/mongodb.md', projects[1], env)
  write()
  await type('short')
  await isCopied('shop_copy')
  await mongo.client.db('shop_copy').dropDatabase()
  expect(JSON.parse(await type('manifest'))).toMatchObject({
    what: 'shop',
    archive: { collections: [{ namespace: 'shop.orders', documents: 300 }] },
    counts: { compared: 1, differences: [] },
  })
  await mongo.client.db('shop').collection('orders').deleteMany({ yes: true })
  await type('restore')
  for (const database of ['shop_copy', 'old']) await isCopied(database)
  await isCopied('shop', other)
})
