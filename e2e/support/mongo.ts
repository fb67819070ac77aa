// A MongoDB server of a test's own (FerretDB, see e2e/kit), and documents of every type that it stores.
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Binary, Double, Int32, Long, MongoClient, ObjectId, Timestamp, type Document } from 'mongodb'
import { succeed, waitFor } from './kubectl.ts'

const root = join(import.meta.dirname, '../..')
const kit = process.env['HOLDFAST_E2E_DIR'] ?? `${process.env['HOME']}/.cache/holdfast-e2e`

/** A PATH with mongodump and mongorestore. */
export const toolsPath = `${join(kit, 'bin')}:${process.env['PATH']}`

/** A server. */
export interface MongoServer {
  readonly port: number
  readonly uri: string
  readonly client: MongoClient
  /** Its process, to be killed. */
  readonly process: ChildProcess
  stop(): Promise<void>
}

/** Installs the server and the tools, where they are not there yet. */
export async function installMongo(): Promise<void> {
  await succeed(join(root, 'e2e/kit/install.sh'), ['mongo'])
}

/** Starts a server on the loopback interface, with nothing in it. */
export async function startMongo(): Promise<MongoServer> {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-mongo-'))
  const server = spawn(join(kit, 'bin/mongoserver'), [`127.0.0.1:${port}`, directory], { stdio: 'ignore' })
  const uri = `mongodb://127.0.0.1:${port}/`
  const client = new MongoClient(uri, { directConnection: true, serverSelectionTimeoutMS: 1000 })
  await waitFor('the server to answer', () =>
    client
      .db('admin')
      .command({ ping: 1 })
      .catch(() => undefined),
  )
  return {
    port,
    uri,
    client,
    process: server,
    async stop() {
      await client.close(true)
      const gone = new Promise((resolve) => server.once('close', resolve))
      if (server.exitCode === null && server.signalCode === null && server.kill('SIGKILL')) await gone
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

/**
 * A document of a number: with a value of one type after the other, and each hundredth with one of every type that the server stores.
 * All of them are different.
 */
export function everyType(n: number): Document {
  const text = n % 10 === 0 ? '' : `Bestellung ${n} ✓ ${'abcdefghij'.repeat(n % 5)}`
  const digest = createHash('sha256').update(`${n}`).digest()
  const values = {
    double: new Double(n % 4 === 0 ? n : n / 3),
    text,
    document: { a: new Int32(n), b: { none: {} } },
    array: [text, null, { deep: [n % 3 === 0] }],
    bytes:
      n % 2 === 0 ? new Binary(digest.subarray(0, n % 33)) : new Binary(digest.subarray(0, 16), Binary.SUBTYPE_UUID),
    id: new ObjectId((n * 7919).toString(16).padStart(24, '0')),
    yes: n % 3 === 0,
    date: new Date(1_700_000_000_000 + n * 1000 - (n % 2) * 3_000_000_000_000),
    nothing: null,
    regex: new RegExp(`^${n}a.b`, n % 2 === 0 ? 'i' : ''),
    int: new Int32((n % 2 === 0 ? 1 : -1) * n),
    time: new Timestamp({ t: n, i: n % 7 }),
    long: Long.fromString('9007199254740993').add(n),
  }
  const _id = n % 2 === 0 ? new Int32(n) : new ObjectId(n.toString(16).padStart(24, '0'))
  if (n % 100 === 0) return { _id, ...values }
  const all = Object.entries(values)
  const [name = '', value] = all[n % all.length] ?? []
  return { _id, [name]: value }
}

/** Fills a collection with {@link everyType}. */
export async function fill(
  { client }: MongoServer,
  database: string,
  collection: string,
  count: number,
): Promise<void> {
  const target = client.db(database).collection(collection)
  for (let from = 0; from < count; from += 5000) {
    const documents = Array.from({ length: Math.min(5000, count - from) }, (_, index) => everyType(from + index))
    await target.insertMany(documents)
  }
}

/**
 * What a collection holds, by its documents' keys: a digest of each document as the server sends it, so that type, order of fields
 * and every bit count.
 */
export async function contents(
  { client }: Pick<MongoServer, 'client'>,
  database: string,
  collection: string,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  const cursor = client.db(database).collection(collection).find({}, { raw: true, batchSize: 5000 })
  for await (const raw of cursor) {
    const bytes = raw as unknown as Buffer
    // `_id` comes first, and is of 4 or 12 bytes: type, name, zero byte.
    const key = bytes.subarray(4, 4 + 5 + (bytes[4] === 0x10 ? 4 : 12)).toString('hex')
    found.set(key, createHash('sha256').update(bytes).digest('base64'))
  }
  return found
}
