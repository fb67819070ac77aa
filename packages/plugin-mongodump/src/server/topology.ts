import type { Reply } from './commands.ts'

/** What kind of server it is: it goes into the manifest. */
export interface Topology {
  readonly kind: 'standalone' | 'replica-set' | 'sharded'
  /** Of the server. */
  readonly version: string
  /** Name of the replica set. */
  readonly replicaSet?: string | undefined
  /** The member that answered, as its replica set calls it. */
  readonly member?: string | undefined
  /** Whether it takes writes. */
  readonly writable: boolean
}

/** @param hello - of `hello`, or of `isMaster`, its name before 4.4.2 */
export function readTopology(hello: Reply, buildInfo: Reply): Topology {
  const text = (name: string): string | undefined => (typeof hello[name] === 'string' ? hello[name] : undefined)
  const replicaSet = text('setName')
  const kind = text('msg') === 'isdbgrid' ? 'sharded' : replicaSet === undefined ? 'standalone' : 'replica-set'
  return {
    kind,
    version: typeof buildInfo['version'] === 'string' ? buildInfo['version'] : 'unknown',
    ...(replicaSet !== undefined && { replicaSet }),
    ...(text('me') !== undefined && { member: text('me') }),
    writable: hello['isWritablePrimary'] === true || hello['ismaster'] === true,
  }
}
