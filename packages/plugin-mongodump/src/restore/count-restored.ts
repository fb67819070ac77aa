import { namespaceOf, type ArchiveSummary } from '../archive/summary.ts'
import { errors } from '../errors.ts'
import type { Restore } from './prepare.ts'
import type { Move } from './selection.ts'

/** How what was restored compares with the archive. */
export interface Counted {
  /** Collections whose documents were counted. */
  readonly compared: number
  /** Why others were not. */
  readonly reason?: string | undefined
}

/** Options of {@link countRestored}. */
export interface CountRestoredOptions extends Pick<Restore, 'access' | 'selection' | 'drop' | 'present'> {
  readonly summary: ArchiveSummary
  /** What is there if they differ, in words. */
  readonly left: string
}

/**
 * Counts what was restored. What the archive can't know is not compared: views and time series, the server's own collections,
 * what was added to something, and everything, when the oplog has changed it.
 *
 * @throws HoldfastError `MONGORESTORE_COUNTS`
 */
export async function countRestored(options: CountRestoredOptions): Promise<Counted> {
  const { access, selection, summary, drop, present, left } = options
  const { server } = access
  if (!server) return { compared: 0, reason: access.unseen }
  if (selection.oplog.replayed) return { compared: 0, reason: 'the oplog was replayed' }
  const expected = new Map(summary.collections.map((each) => [namespaceOf(each), each.documents]))
  const added = new Set(drop ? [] : present)
  const countable = selection.moves.filter(
    (move) => !move.internal && move.type !== 'view' && move.type !== 'timeseries' && !added.has(move),
  )
  const first = await server.counts(countable)
  const doubtful = countable.filter((move, index) => first[index] !== expected.get(move.from))
  const exact = await server.counts(doubtful.map(({ database, collection }) => ({ database, collection, exact: true })))
  const wrong = doubtful.flatMap((move, index) => difference(move, expected.get(move.from), exact[index]))
  if (wrong.length > 0) {
    const more = wrong.length > 3 ? `; and ${wrong.length - 3} more` : ''
    throw errors.MONGORESTORE_COUNTS({ list: `${wrong.slice(0, 3).join('; ')}${more}`, left })
  }
  const others = selection.moves.length - countable.length
  return { compared: countable.length, reason: others > 0 ? `${others} can't be` : undefined }
}

function difference(move: Move, expected: number | undefined, found: number | undefined): readonly string[] {
  if (found === expected) return []
  return [`${namespaceOf(move)} has ${found ?? 'an unknown number of'} documents instead of ${expected}`]
}
