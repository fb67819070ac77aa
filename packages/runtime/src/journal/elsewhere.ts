// What other processes with the same state directory have done: `holdfast run` beside a daemon.
import type { RunsOf } from './last-runs.ts'
import { number, type Row } from './rows.ts'
import type { Query } from './statements.ts'

/**
 * Follows the runs that other processes have begun, whoever ends them.
 *
 * @param self - the process whose own runs are left out
 * @returns says of which plans and drills such runs have ended since it was last asked, or since the beginning
 */
export function followElsewhere(query: Query, self: string): () => readonly RunsOf[] {
  /** Runs are in the order in which they were entered; up to here they were looked at. */
  let seen = newest(query)
  let open = query('SELECT rowid AS place FROM runs WHERE ended IS NULL AND process <> ?', self).map(placeOf)
  return () => {
    const until = newest(query)
    const found = query(
      `SELECT rowid AS place, plan, drill, ended FROM runs
       WHERE process <> ? AND ((rowid > ? AND rowid <= ?) OR rowid IN (SELECT value FROM json_each(?)))`,
      self,
      seen,
      until,
      JSON.stringify(open),
    )
    seen = until
    open = found.filter(({ ended }) => ended === null).map(placeOf)
    const ended = found.filter((row) => row['ended'] !== null)
    const plans = new Set(ended.flatMap(({ plan, drill }) => (drill === null ? [String(plan)] : [])))
    const drills = new Set(ended.flatMap(({ drill }) => (drill === null ? [] : [String(drill)])))
    return [...[...plans].map((plan) => ({ plan })), ...[...drills].map((drill) => ({ drill }))]
  }
}

function newest(query: Query): number {
  return number(query('SELECT MAX(rowid) AS place FROM runs')[0]?.['place']) ?? 0
}

function placeOf({ place }: Row): number {
  return Number(place)
}
