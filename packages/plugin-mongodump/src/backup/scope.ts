import type { MongodumpConfig } from '../options.ts'
import type { ServerCollection } from '../server/mongo-server.ts'

/** What of a server is dumped. */
export type Scope = Pick<MongodumpConfig, 'database' | 'collections' | 'excludeCollections'>

/** For people. */
export function describeScope({ database, collections, excludeCollections }: Scope): string {
  if (database === undefined) return 'all databases'
  if (collections) return collections.map((collection) => `${database}.${collection}`).join(', ')
  return excludeCollections ? `${database} without ${excludeCollections.join(', ')}` : database
}

/** What of the settings of a sharded cluster mongodump takes along. */
const keptOfConfig = new Set(['chunks', 'collections', 'databases', 'settings', 'shards', 'tags', 'version'])

/**
 * Whether mongodump dumps a collection of the server: by what it was asked, and by its own rules about what belongs to the
 * server and not to its users.
 */
export function isDumped({ database, collection }: ServerCollection, scope: Scope): boolean {
  if (scope.database === undefined ? database === 'local' : database !== scope.database) return false
  if (scope.collections) return scope.collections.includes(collection)
  if (scope.excludeCollections?.includes(collection)) return false
  if (database === 'config') return scope.database === 'config' || keptOfConfig.has(collection)
  if (database === 'admin') return collection !== 'system.keys' && !collection.includes('$')
  return (collection === 'system.js' || !collection.startsWith('system.')) && !collection.includes('$')
}
