import type { MongoClient as Client } from 'mongodb'
import { ConnectionFailure, type Answer, type Command, type Commands, type Reply } from './commands.ts'

/** In ms. A count of all documents is the slowest answer. */
const timeouts = [
  ['serverSelectionTimeoutMS', 10_000],
  ['connectTimeoutMS', 10_000],
  ['socketTimeoutMS', 600_000],
] as const

/** Sends commands over MongoDB's own driver, which is loaded only here: half of this package's weight. */
export async function openDriver(uri: string, signal: AbortSignal): Promise<Commands> {
  const { MongoClient, BSON } = await import('./driver.ts')
  let client: Client
  try {
    client = new MongoClient(uri, {
      appName: 'holdfast',
      maxPoolSize: 2,
      // Unless the connection string says otherwise.
      ...Object.fromEntries(timeouts.filter(([name]) => !new RegExp(`[?&]${name}=`, 'i').test(uri))),
      // An answer that is lost counts as none: a lock must not be taken twice.
      retryWrites: false,
    })
  } catch (error) {
    if (!(error instanceof Error && error.name.startsWith('Mongo'))) throw error
    throw new ConnectionFailure(error.message, { unable: true, cause: error })
  }
  const close = async (): Promise<void> => {
    signal.removeEventListener('abort', abort)
    await client.close(true).catch(() => {})
  }
  const abort = (): void => void close()
  signal.addEventListener('abort', abort, { once: true })

  const send = async ({ database, command, collections }: Command): Promise<Reply> => {
    const db = client.db(database)
    if (collections) return { documents: await db.listCollections().toArray() }
    return db.command(BSON.EJSON.deserialize(command ?? {}))
  }
  return {
    via: 'driver',
    close,
    async ask(commands) {
      const answers: Answer[] = []
      for (const command of commands) {
        signal.throwIfAborted()
        try {
          answers.push({ reply: await send(command) })
        } catch (error) {
          signal.throwIfAborted()
          answers.push(answerOf(error))
        }
      }
      return answers
    },
  }
}

const authenticationFailed = 18
/** What mongodump may be able to do all the same. */
const unableNames = new Set(['MongoMissingDependencyError', 'MongoCompatibilityError', 'MongoInvalidArgumentError'])

interface DriverError extends Error {
  readonly code?: unknown
  /** Of a selection that was given up: what it waited for, and why in vain. */
  readonly reason?: { readonly servers?: ReadonlyMap<string, { readonly error?: DriverError | null }> }
}

function answerOf(thrown: unknown): Answer {
  const error = thrown as DriverError
  const causes = [...(error.reason?.servers?.values() ?? [])].flatMap((server) => server.error ?? [])
  const first = causes[0] ?? error
  const code = typeof first.code === 'number' ? first.code : undefined
  if (error.name === 'MongoServerError' && code !== authenticationFailed) {
    return { failure: { code, message: error.message } }
  }
  const unable = [error, ...causes].some(({ name }) => unableNames.has(name))
  throw new ConnectionFailure(first.message, { code, unable, cause: thrown })
}
