import { errors } from '../errors.ts'
import type { MongodumpConfig } from '../options.ts'
import type { Topology } from '../server/topology.ts'

/** Whether the oplog is dumped along, and what that makes of the dump. It goes into the manifest. */
export interface Consistency {
  readonly oplog: boolean
  /** `'oplog'`, `'fsyncLock'`: the dump is of one moment. `'none'`: each collection is of its own. */
  readonly by: 'oplog' | 'fsyncLock' | 'none'
  /** Why it is not of one moment. */
  readonly reason?: string | undefined
}

/** What the decision is made from. */
export interface OplogQuestion {
  readonly config: Pick<MongodumpConfig, 'oplog' | 'quiesce' | 'database'>
  /** `undefined` when the server can't be asked. */
  readonly topology: Topology | undefined
}

/**
 * Decides about `--oplog`. mongodump takes it only from a member of a replica set, and only with all databases.
 *
 * @throws HoldfastError `MONGODUMP_NO_OPLOG` when it was demanded and can't be
 */
export function decideOplog({ config, topology }: OplogQuestion): Consistency {
  const { oplog = 'auto', quiesce, database } = config
  if (quiesce === 'fsyncLock') return { oplog: false, by: 'fsyncLock' }
  if (oplog === false) return { oplog: false, by: 'none', reason: 'it was not asked for' }
  const obstacle = database === undefined ? obstacleOf(topology) : 'only one database is dumped'
  // Who demands it and can't be told better by us is told by mongodump.
  if (obstacle === undefined || (oplog === true && topology === undefined)) return { oplog: true, by: 'oplog' }
  if (oplog === true) throw errors.MONGODUMP_NO_OPLOG({ reason: obstacle })
  return { oplog: false, by: 'none', reason: obstacle }
}

function obstacleOf(topology: Topology | undefined): string | undefined {
  switch (topology?.kind) {
    case 'replica-set':
      return undefined
    case 'standalone':
      return 'the server is no member of a replica set, and has none'
    case 'sharded':
      return 'a sharded cluster has one per shard'
    case undefined:
      return 'what kind of server it is can’t be seen'
  }
}
