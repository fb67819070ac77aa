import { randomUUID } from 'node:crypto'
import type { RunContext } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { MongodumpConfig } from '../options.ts'
import { placeOf } from '../place.ts'
import type { MongoServer } from '../server/mongo-server.ts'
import { openServer, type Access } from '../server/open-server.ts'
import { isOneHost, parseUri } from '../server/uri.ts'
import { keepOpen } from './open-locks.ts'
import { unlockUndo } from './unlock-undo.ts'

/**
 * Holds writes back until all backups of the run are done, if it is asked for. The undo is armed first, so that the lock is given
 * back whatever happens. Locks are counted by the server; ours is the only one, or there is none: else nobody could tell later
 * whose is left.
 *
 * @throws HoldfastError `MONGODB_LOCK_MEMBER`, `MONGODB_LOCKED`, `MONGODB_LOCK_FAILED`, `MONGODB_…`
 */
export async function quiesce(ctx: RunContext<MongodumpConfig>): Promise<void> {
  const { config, log } = ctx
  if (config.quiesce !== 'fsyncLock') return
  const { uri, controlUri, where } = config
  await requireOneServer(ctx)
  // The connection outlives this hook, and its abort: the undo needs it then.
  const { signal } = new AbortController()
  const access = await openServer({ ...servicesOf(ctx), signal }, { uri, controlUri, place: placeOf(where) })
  const server = requireServer(access)
  const token = randomUUID()
  const armed = (async () => {
    if ((await server.lockState()) !== 'free') throw errors.MONGODB_LOCKED({ server: server.name })
    return ctx.undo.arm(unlockUndo, { uri, controlUri, where, token })
  })()
  const undo = await armed.catch(async (error: unknown) => {
    await server.close()
    throw error
  })
  const taken = server.lock()
  keepOpen(token, { server, taken })
  const holders = await taken.catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    throw errors.MONGODB_LOCK_FAILED({ server: server.name, reason }, { cause: error })
  })
  if (holders === 1) {
    log.info(`${server.name} is locked: it takes no writes until the backups are done`)
    return
  }
  await undo.fire()
  throw errors.MONGODB_LOCKED({ server: server.name })
}

function servicesOf({
  exec,
  log,
  secrets,
}: RunContext<MongodumpConfig>): Pick<RunContext<unknown>, 'exec' | 'log' | 'secrets'> {
  return { exec, log, secrets }
}

/** A lock must be given back by the very server that took it, so the address has to name one, and the dump has to read from it. */
async function requireOneServer({ config, secrets }: RunContext<MongodumpConfig>): Promise<void> {
  for (const ref of [config.uri, config.controlUri]) {
    if (!ref) continue
    const address = parseUri((await secrets.open(ref)).reveal())
    if (isOneHost(address)) continue
    throw errors.MONGODB_LOCK_MEMBER({
      server: address.hosts.join(','),
      reason: 'its connection string names a replica set or several servers',
    })
  }
}

function requireServer({ server, topology, unseen }: Access): MongoServer {
  if (!server) throw errors.MONGODB_LOCK_FAILED({ server: 'that server', reason: unseen })
  if (topology.kind !== 'sharded') return server
  void server.close()
  throw errors.MONGODB_LOCK_MEMBER({ server: server.name, reason: 'it is the router of a sharded cluster' })
}
