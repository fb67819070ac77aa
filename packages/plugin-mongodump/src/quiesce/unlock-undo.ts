import { defineUndo, type HoldfastError, type UndoContext } from '@holdfast/sdk'
import * as z from 'zod'
import { errors } from '../errors.ts'
import { secretRefSchema } from '../options.ts'
import { placeOf, whereSchema } from '../place.ts'
import type { MongoServer } from '../server/mongo-server.ts'
import { openServer } from '../server/open-server.ts'
import { takeOpen } from './open-locks.ts'

/** All that is needed to unlock a server, by any process. References to secrets, never secrets. */
const unlockInput = z.strictObject({
  uri: secretRefSchema,
  controlUri: secretRefSchema.optional(),
  where: whereSchema.optional(),
  /** Whose lock it is. */
  token: z.string(),
})

type UnlockInput = z.output<typeof unlockInput>

/**
 * Gives an fsyncLock back. It looks first: a server that was started again holds none, nor does one that was unlocked before the
 * word of it was lost. Where the lock is only being taken, by a process that was killed meanwhile, it waits for that: else it
 * would come after the undo, and stay.
 */
export const unlockUndo = defineUndo({
  name: 'mongodb-fsync-unlock',
  input: unlockInput,
  deadline: '10m',
  async run(input, ctx) {
    const kept = takeOpen(input.token)
    // Whether it was taken or not, the server has answered then.
    await kept?.taken.catch(() => {})
    if (kept && (await unlockBy(kept.server, ctx))) return
    const server = await connect(input, ctx)
    try {
      await unlock(server, ctx)
    } catch (error) {
      throw failure(server.name, error)
    } finally {
      await server.close()
    }
  },
})

/** By the connection that took the lock. @returns false when it is no good any more; then another is made */
async function unlockBy(server: MongoServer, ctx: UndoContext): Promise<boolean> {
  try {
    await unlock(server, ctx)
    return true
  } catch (error) {
    ctx.log.warn(`the connection that locked ${server.name} is no good any more: ${reasonOf(error)}`)
    return false
  } finally {
    await server.close()
  }
}

async function unlock(server: MongoServer, { clock, log, signal }: UndoContext): Promise<void> {
  let state = await server.lockState()
  for (; state === 'locking'; state = await server.lockState()) await clock.sleep('1s', signal)
  if (state === 'free') {
    log.info(`${server.name} is not locked`)
    return
  }
  const holders = await server.unlock()
  if (holders === 0) log.info(`${server.name} is unlocked`)
  else log.warn(`${server.name} is unlocked as far as this backup goes; somebody else still holds ${holders} locks`)
}

async function connect(input: UnlockInput, ctx: UndoContext): Promise<MongoServer> {
  const { uri, controlUri, where } = input
  const { server, unseen } = await openServer(ctx, { uri, controlUri, place: placeOf(where) })
  if (!server) throw failure('the server', unseen)
  return server
}

function failure(server: string, cause: unknown): HoldfastError {
  return errors.MONGODB_UNLOCK_FAILED({ server, reason: reasonOf(cause) }, { cause })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
