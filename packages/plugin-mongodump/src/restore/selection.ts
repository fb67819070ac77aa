import type { AnnouncedCollection } from '../archive/read-prelude.ts'
import { namespaceOf } from '../archive/summary.ts'
import { errors } from '../errors.ts'
import type { RestoreOptions } from './options.ts'
import { escapePattern, matchesAny, renamed, type Rename } from './patterns.ts'

/** A collection that is restored. */
export interface Move {
  /** As it was dumped: `shop.orders`. */
  readonly from: string
  readonly database: string
  readonly collection: string
  readonly type: string
  /** The server's own: users, roles, settings. What is there of them is always there. */
  readonly internal: boolean
}

/** What of a dump is restored, and under which names. */
export interface Selection {
  readonly moves: readonly Move[]
  /** The arguments of mongorestore that say so. */
  readonly args: readonly string[]
  readonly oplog: { readonly replayed: boolean; readonly reason?: string | undefined }
}

/**
 * Works out what mongorestore will do, so that it can be looked at before and counted afterwards.
 *
 * @throws HoldfastError `MONGORESTORE_SELECTION`
 */
export function select(collections: readonly AnnouncedCollection[], options: RestoreOptions): Selection {
  const data = collections.filter(({ database }) => database !== '')
  const { include, exclude, renames } = choiceOf(data, options)
  const chosen = data.filter((each) => {
    const name = namespaceOf(each)
    return (include.length === 0 || matchesAny(include, name)) && !matchesAny(exclude, name)
  })
  if (chosen.length === 0) {
    const there = data.slice(0, 10).map(namespaceOf).join(', ')
    throw errors.MONGORESTORE_SELECTION({
      reason: `nothing of the backup is chosen; it has ${there || 'no collection'}`,
    })
  }
  const moves = chosen.map((each) => moveOf(each, renames))
  const twice = moves.find((move, index) => moves.findIndex((other) => isSame(move, other)) !== index)
  if (twice) throw errors.MONGORESTORE_SELECTION({ reason: `two collections would become ${namespaceOf(twice)}` })
  const hasOplog = collections.some(({ database }) => database === '')
  const isAll = include.length + exclude.length + renames.length === 0
  return {
    moves,
    args: [
      ...include.map((each) => `--nsInclude=${each}`),
      ...exclude.map((each) => `--nsExclude=${each}`),
      ...renames.flatMap(({ from, to }) => [`--nsFrom=${from}`, `--nsTo=${to}`]),
    ],
    oplog: decideReplay(hasOplog, isAll, options.oplogReplay),
  }
}

interface Choice {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly renames: readonly Rename[]
}

function choiceOf(data: readonly AnnouncedCollection[], options: RestoreOptions): Choice {
  const { database, nsInclude: include = [], nsExclude: exclude = [], nsFrom = [], nsTo = [] } = options
  if (database === undefined) {
    return { include, exclude, renames: nsFrom.map((from, index) => ({ from, to: nsTo[index] ?? '' })) }
  }
  const [only, ...more] = new Set(data.map((each) => each.database).filter((each) => !isInternalDatabase(each)))
  if (only === undefined || more.length > 0) {
    const found = only === undefined ? 'none' : [only, ...more].join(', ')
    throw errors.MONGORESTORE_SELECTION({
      reason: `database=${database} is for a backup of one database, and this one has ${found}`,
    })
  }
  const from = `${escapePattern(only)}.*`
  return { include: [from], exclude, renames: only === database ? [] : [{ from, to: `${escapePattern(database)}.*` }] }
}

function moveOf(collection: AnnouncedCollection, renames: readonly Rename[]): Move {
  const from = namespaceOf(collection)
  let to: string
  try {
    to = renamed(renames, from)
  } catch (error) {
    throw errors.MONGORESTORE_SELECTION({ reason: (error as Error).message }, { cause: error })
  }
  const dot = to.indexOf('.')
  if (dot < 1 || dot === to.length - 1) {
    throw errors.MONGORESTORE_SELECTION({ reason: `${from} would become "${to}", which is no DATABASE.COLLECTION` })
  }
  const database = to.slice(0, dot)
  const name = to.slice(dot + 1)
  const internal = isInternalDatabase(database) || (name.startsWith('system.') && name !== 'system.js')
  return { from, database, collection: name, type: collection.type, internal }
}

function isSame(a: Move, b: Move): boolean {
  return a.database === b.database && a.collection === b.collection
}

function isInternalDatabase(database: string): boolean {
  return database === 'admin' || database === 'config' || database === 'local'
}

/** mongorestore applies the oplog only to everything, under its own names. */
function decideReplay(hasOplog: boolean, isAll: boolean, asked: boolean | undefined): Selection['oplog'] {
  if (asked === true && !hasOplog) throw errors.MONGORESTORE_SELECTION({ reason: 'the backup has no oplog to replay' })
  if (asked === true && !isAll) {
    throw errors.MONGORESTORE_SELECTION({
      reason: 'the oplog can only be replayed when everything is restored as it was',
    })
  }
  if (!hasOplog) return { replayed: false }
  if (asked === false) return { replayed: false, reason: 'oplogReplay=false' }
  return isAll ? { replayed: true } : { replayed: false, reason: 'only a part is restored, or under other names' }
}
