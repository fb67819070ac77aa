import type { HoldfastError, Json } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import {
  ConnectionFailure,
  type Answer,
  type Command,
  type CommandFailure,
  type Commands,
  type Reply,
} from './commands.ts'
import { readTopology, type Topology } from './topology.ts'

/** A collection, view or time series of a server. */
export interface ServerCollection {
  readonly database: string
  readonly collection: string
  /** `view` and `timeseries` are MongoDB's words; anything else is a collection. */
  readonly type: string
}

/** What is to be counted. */
export interface CountRequest {
  readonly database: string
  readonly collection: string
  /** Extended JSON. */
  readonly query?: Readonly<Record<string, Json>> | undefined
  /** Look at every document. The number that a server keeps is at once there, but may be wrong after it was killed. */
  readonly exact?: boolean | undefined
}

/** A server, asked for what a backup has to know and do. Every method throws `MONGODB_…`. */
export interface MongoServer {
  readonly via: Commands['via']
  /** For people. */
  readonly name: string
  topology(): Promise<Topology>
  /** Of one database, or of all that may be seen. */
  collections(database?: string): Promise<readonly ServerCollection[]>
  /** In the order of the requests; `undefined` for what can't be counted. */
  counts(requests: readonly CountRequest[]): Promise<readonly (number | undefined)[]>
  /** Whether anybody holds writes back with fsyncLock, or is about to: that takes until all writes under way are done. */
  lockState(): Promise<'free' | 'locking' | 'locked'>
  /** @returns how many hold the lock now */
  lock(): Promise<number>
  /** @returns how many hold the lock still */
  unlock(): Promise<number>
  drop(namespace: { readonly database: string; readonly collection: string }): Promise<void>
  close(): Promise<void>
}

const unauthorized = 13
const authenticationFailed = 18
const namespaceNotFound = 26
const commandNotFound = 59

/** Creates a {@link MongoServer}. @param name - for people: where it is, no secrets */
export function createMongoServer(commands: Commands, name: string): MongoServer {
  const ask = async (questions: readonly Command[]): Promise<readonly Answer[]> => {
    try {
      return await commands.ask(questions)
    } catch (error) {
      throw error instanceof ConnectionFailure ? connectionError(name, error) : error
    }
  }
  const only = async (question: Command): Promise<Answer> => {
    const [answer] = await ask([question])
    return answer ?? { failure: { code: undefined, message: 'no answer' } }
  }
  const replyOf = (answer: Answer | undefined, what: string): Reply => {
    if (answer?.reply) return answer.reply
    throw commandError(name, what, answer?.failure ?? { code: undefined, message: 'no answer' })
  }
  const reply = async (what: string, question: Command): Promise<Reply> => replyOf(await only(question), what)
  const admin = (command: Readonly<Record<string, Json>>): Command => ({ database: 'admin', command })

  return {
    via: commands.via,
    name,
    close: () => commands.close(),
    async topology() {
      // In one go: mongosh takes a second to start.
      const [hello, build] = await ask([admin({ hello: 1 }), admin({ buildInfo: 1 })])
      // Before 4.4.2 it had another name only.
      const said = hello?.failure?.code === commandNotFound ? await only(admin({ isMaster: 1 })) : hello
      return readTopology(replyOf(said, 'say what it is'), replyOf(build, 'say its version'))
    },
    async collections(database) {
      const databases = database === undefined ? await listDatabases(reply) : [database]
      const answers = await ask(databases.map((each) => ({ database: each, collections: true })))
      return answers.flatMap((answer, index) => {
        const of = databases[index] ?? ''
        if (answer.failure) throw commandError(name, `list the collections of ${of}`, answer.failure)
        return documentsOf(answer.reply).map((info) => ({
          database: of,
          collection: String(info['name']),
          type: typeof info['type'] === 'string' ? info['type'] : 'collection',
        }))
      })
    },
    async counts(requests) {
      const answers = await ask(requests.map(countCommand))
      return answers.map((answer) => (answer.failure ? undefined : numberIn(answer.reply)))
    },
    async lockState() {
      const state = await reply('say whether it is locked', admin({ currentOp: 1 }))
      if (state['fsyncLock'] === true) return 'locked'
      return Array.isArray(state['inprog']) && state['inprog'].some(isLocking) ? 'locking' : 'free'
    },
    async lock() {
      const state = await reply('lock itself', admin({ fsync: 1, lock: true }))
      return Number(state['lockCount'] ?? 1)
    },
    async unlock() {
      const state = await reply('unlock itself', admin({ fsyncUnlock: 1 }))
      return Number(state['lockCount'] ?? 0)
    },
    async drop({ database, collection }) {
      const answer = await only({ database, command: { drop: collection } })
      if (answer.failure && answer.failure.code !== namespaceNotFound) {
        throw commandError(name, `drop ${database}.${collection}`, answer.failure)
      }
    },
  }
}

async function listDatabases(reply: (what: string, question: Command) => Promise<Reply>): Promise<readonly string[]> {
  const answer = await reply('list its databases', { database: 'admin', command: { listDatabases: 1, nameOnly: true } })
  const databases = answer['databases']
  return Array.isArray(databases) ? databases.map((each: { readonly name?: unknown }) => String(each.name)) : []
}

function countCommand({ database, collection, query, exact = false }: CountRequest): Command {
  const filter = query === undefined ? {} : { query }
  if (!exact) return { database, command: { count: collection, ...filter } }
  const pipeline = [{ $match: query ?? {} }, { $group: { _id: null, n: { $sum: 1 } } }]
  return { database, command: { aggregate: collection, pipeline, cursor: {} } }
}

/** Of a count, or of a sum over all documents, which has no result where there are none. */
function numberIn(reply: Reply): number | undefined {
  if (typeof reply['n'] === 'number') return reply['n']
  const { firstBatch } = (reply['cursor'] ?? {}) as { readonly firstBatch?: readonly { readonly n?: unknown }[] }
  if (!firstBatch) return undefined
  const [first] = firstBatch
  return first === undefined ? 0 : typeof first.n === 'number' ? first.n : undefined
}

/** An operation, as `currentOp` has it. */
function isLocking(operation: { readonly command?: Reply }): boolean {
  return operation.command?.['fsync'] !== undefined && operation.command['lock'] === true
}

function documentsOf(reply: Reply): readonly Reply[] {
  const { documents } = reply
  return Array.isArray(documents) ? (documents as Reply[]) : []
}

/** A connection that could not be made, in words for people. */
export function connectionError(server: string, failure: ConnectionFailure): HoldfastError {
  const { code, message } = failure
  const params = { server, reason: oneLine(message) }
  return code === authenticationFailed
    ? errors.MONGODB_AUTH(params, { cause: failure })
    : errors.MONGODB_UNREACHABLE(params, { cause: failure })
}

function commandError(server: string, what: string, { code, message }: CommandFailure): HoldfastError {
  const params = { server, what, reason: oneLine(message) }
  return code === unauthorized ? errors.MONGODB_FORBIDDEN(params) : errors.MONGODB_COMMAND(params)
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ')
}
