// A MongoDB server on the wire: what it says of itself, counts, and fsyncLock as a real one counts it. Its words are those of
// MongoDB's documentation and sources; FerretDB, which is real, has neither replica sets nor fsyncLock.
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Long, type Document } from 'bson'
import { createWireReader, formatReply, type WireRequest } from './wire.ts'

/** A collection of the fake. */
export interface FakeCollection {
  readonly type?: 'collection' | 'view' | 'timeseries'
  documents: number
  /** What its own bookkeeping says, where that is wrong: as it may be after the server was killed. */
  counted?: number
}

/** What a server does with a command in place of what it should. */
export type FakeFault =
  /** Refuses it. */
  | { readonly code: number; readonly codeName: string; readonly errmsg: string }
  /** Ends the connection, before or after it did it. */
  | 'drop-before'
  | 'drop-after'
  /** Never answers. */
  | 'silent'

/** A fake server. */
export interface FakeMongo extends AsyncDisposable {
  readonly port: number
  /** `mongodb://127.0.0.1:PORT/`. */
  readonly uri: string
  kind: 'standalone' | 'replica-set' | 'sharded'
  version: string
  /** By namespace. */
  readonly collections: Map<string, FakeCollection>
  /** How often fsyncLock holds. */
  locks: number
  /** Names of the commands that came, but for those by which a driver keeps itself informed. */
  readonly commands: readonly string[]
  /** Called with each command that is no talk, before it is done; a promise holds it up. */
  onCommand: ((name: string, database: string) => void | Promise<void>) | undefined
  /** Called when it was done, before the answer goes out. */
  onDone: ((name: string) => void | Promise<void>) | undefined
  /** What goes wrong, by the command's name. */
  readonly faults: Map<string, FakeFault>
  /** Documents of one answer's batch. */
  batchSize: number
}

/** How drivers keep themselves informed: not worth a line. */
const talk = new Set(['hello', 'ismaster', 'isMaster', 'ping', 'endSessions'])

/** Starts a {@link FakeMongo} on the loopback interface. */
export async function startFakeMongo(): Promise<FakeMongo> {
  const sockets = new Set<Socket>()
  const commands: string[] = []
  const locking: symbol[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    const read = createWireReader((request) => void answer(socket, request))
    socket.on('data', read)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  const answer = async (socket: Socket, request: WireRequest): Promise<void> => {
    const [name = ''] = Object.keys(request.command)
    const isTalk = talk.has(name)
    const fault = fake.faults.get(name)
    if (!isTalk) commands.push(name)
    if (fault === 'drop-before') return void socket.destroy()
    const mark = Symbol(name)
    if (name === 'fsync') locking.push(mark)
    if (!isTalk) await fake.onCommand?.(name, request.database)
    if (name === 'fsync') locking.splice(locking.indexOf(mark), 1)
    if (fault === 'silent') return
    const reply = typeof fault === 'object' ? { ok: 0, ...fault } : perform(fake, locking.length > 0, request, name)
    if (!isTalk) await fake.onDone?.(name)
    if (fault === 'drop-after') return void socket.destroy()
    socket.write(formatReply(request, reply))
  }

  const fake: FakeMongo = {
    port,
    uri: `mongodb://127.0.0.1:${port}/`,
    kind: 'standalone',
    version: '7.0.12',
    collections: new Map(),
    locks: 0,
    commands,
    onCommand: undefined,
    onDone: undefined,
    faults: new Map(),
    batchSize: 100,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}

function perform(fake: FakeMongo, isLocking: boolean, { command, database }: WireRequest, name: string): Document {
  const namespace = `${database}.${String(command[name])}`
  const ok = { ok: 1 }
  switch (name) {
    case 'hello':
    case 'ismaster':
    case 'isMaster':
      return { ...helloOf(fake), ...ok }
    case 'ping':
    case 'endSessions':
      return ok
    case 'buildInfo':
      return { version: fake.version, ...ok }
    case 'listDatabases':
      return {
        databases: [...new Set([...fake.collections.keys()].map((each) => each.split('.')[0]))].map((each) => ({
          name: each,
        })),
        ...ok,
      }
    case 'listCollections': {
      const all = infosOf(fake, database)
      return {
        cursor: batch(`${database}.$cmd.listCollections`, all.slice(0, fake.batchSize), all.length > fake.batchSize),
        ...ok,
      }
    }
    case 'getMore': {
      const rest = infosOf(fake, database).slice(fake.batchSize)
      return { cursor: { id: Long.ZERO, ns: `${database}.$cmd.listCollections`, nextBatch: rest }, ...ok }
    }
    case 'count': {
      const { documents = 0, counted = documents } = fake.collections.get(namespace) ?? {}
      return { n: command['query'] === undefined ? counted : documents, ...ok }
    }
    case 'aggregate': {
      const { documents = 0 } = fake.collections.get(namespace) ?? {}
      return { cursor: batch(namespace, documents === 0 ? [] : [{ _id: null, n: documents }], false), ...ok }
    }
    case 'currentOp':
      return {
        inprog: isLocking ? [{ op: 'command', command: { fsync: 1, lock: true, $db: 'admin' } }] : [],
        ...(fake.locks > 0 && {
          fsyncLock: true,
          info: 'use db.fsyncUnlock() to terminate the fsync write/snapshot lock',
        }),
        ...ok,
      }
    case 'fsync':
      fake.locks++
      return {
        info: 'now locked against writes, use db.fsyncUnlock() to unlock',
        lockCount: Long.fromNumber(fake.locks),
        ...ok,
      }
    case 'fsyncUnlock':
      if (fake.locks === 0)
        return { ok: 0, errmsg: 'fsyncUnlock called when not locked', code: 20, codeName: 'IllegalOperation' }
      fake.locks--
      return { info: 'fsyncUnlock completed', lockCount: Long.fromNumber(fake.locks), ...ok }
    case 'drop':
      return fake.collections.delete(namespace)
        ? { ns: namespace, ...ok }
        : { ok: 0, errmsg: 'ns not found', code: 26, codeName: 'NamespaceNotFound' }
    case 'saslStart':
      return { ok: 0, errmsg: 'Authentication failed.', code: 18, codeName: 'AuthenticationFailed' }
    default:
      return { ok: 0, errmsg: `no such command: '${name}'`, code: 59, codeName: 'CommandNotFound' }
  }
}

function helloOf({ kind, port }: FakeMongo): Document {
  const me = `127.0.0.1:${port}`
  return {
    ...(kind === 'replica-set' && { setName: 'rs0', setVersion: 1, hosts: [me], primary: me, me }),
    ...(kind === 'sharded' && { msg: 'isdbgrid' }),
    helloOk: true,
    isWritablePrimary: true,
    ismaster: true,
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(0),
    logicalSessionTimeoutMinutes: 30,
    minWireVersion: 0,
    maxWireVersion: 21,
    readOnly: false,
  }
}

function infosOf({ collections }: FakeMongo, database: string): readonly Document[] {
  return [...collections]
    .filter(([namespace]) => namespace.startsWith(`${database}.`))
    .map(([namespace, { type = 'collection' }]) => ({
      name: namespace.slice(database.length + 1),
      type,
      options: {},
      info: { readOnly: type === 'view' },
    }))
}

function batch(ns: string, firstBatch: readonly Document[], hasMore: boolean): Document {
  return { firstBatch, id: Long.fromNumber(hasMore ? 4711 : 0), ns }
}
