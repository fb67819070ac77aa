// What a page, or a program, is shown of the past: a part of it at a time, however much there is.
import type { RestorePoint } from '@holdfast/sdk'
import { followElsewhere } from './elsewhere.ts'
import { isExecution, readLastGood, type RunsOf } from './last-runs.ts'
import type { RunRecord } from './records.ts'
import { date, number, text, toRun } from './rows.ts'
import type { Query } from './statements.ts'

/** A part of the runs. */
export interface RunsPage {
  readonly plan?: string | undefined
  readonly drill?: string | undefined
  /** The id of a run: those that began before it. */
  readonly before?: string | undefined
  readonly limit: number
}

/** A restore point outside the store, as far as the journal knows it. */
export interface ExternalPoint extends Omit<RestorePoint, 'ref'> {
  readonly plan: string
  readonly run: string
}

/** Reads the past. Nothing here takes longer because there is more of it, unless it says so. */
export interface History {
  /** The run of exactly this id. */
  run(id: string): RunRecord | undefined
  /**
   * Newest first: in the order in which they were entered, without boots that succeeded; those of one plan or drill by when
   * they began.
   */
  runs(page: RunsPage): readonly RunRecord[]
  /** The newest runs that were more than looked for and were not skipped, newest first; one goes on, perhaps. */
  recent(whose: RunsOf, limit: number): readonly RunRecord[]
  /**
   * Follows the runs that other processes have begun.
   *
   * @param self - whose own runs are left out
   * @returns says of which plans and drills such runs have ended since it was last asked, or since the beginning
   */
  elsewhere(self: string): () => readonly RunsOf[]
  /** When a run of a plan or a drill last was good: also one that only left something undone for a copy. */
  lastGood(whose: RunsOf): Date | undefined
  /** The newest restore points outside the store of each target. Reads all of them. */
  externalPoints(perTarget: number): readonly ExternalPoint[]
}

/** Of the newest runs of a plan so many are looked at; where all of them were skipped, there is none to show. */
const mostLookedAt = 60

/** Reads the journal. */
export function openHistory(query: Query): History {
  return {
    run: (id) => query('SELECT * FROM runs WHERE id = ?', id).map(toRun)[0],
    runs({ plan, drill, before, limit }) {
      const [of, name] = drill === undefined ? ['plan', plan] : ['drill', drill]
      if (name === undefined) {
        const earlier = before === undefined ? '' : 'AND rowid < (SELECT rowid FROM runs WHERE id = ?)'
        // Each start of a daemon has one for each plan.
        const sql = `SELECT * FROM runs WHERE (trigger <> 'boot' OR status IS NOT 'succeeded') ${earlier} ORDER BY rowid DESC LIMIT ?`
        return query(sql, ...(before === undefined ? [] : [before]), limit).map(toRun)
      }
      const earlier =
        before === undefined ? '' : 'AND (started, rowid) < (SELECT started, rowid FROM runs WHERE id = ?)'
      const sql = `SELECT * FROM runs WHERE ${of} = ? ${earlier} ORDER BY started DESC, rowid DESC LIMIT ?`
      return query(sql, name, ...(before === undefined ? [] : [before]), limit).map(toRun)
    },
    recent(whose, limit) {
      const [of, name] = 'plan' in whose ? ['plan', whose.plan] : ['drill', whose.drill]
      return query(
        `SELECT * FROM (
           SELECT *, rowid AS entered FROM runs WHERE ${of} = ? ORDER BY started DESC, rowid DESC LIMIT ${mostLookedAt}
         ) WHERE status IS NOT 'skipped' AND ${of === 'plan' ? isExecution : 'dry_run = 0'}
         ORDER BY started DESC, entered DESC LIMIT ?`,
        name,
        limit,
      ).map(toRun)
    },
    elsewhere: (self) => followElsewhere(query, self),
    lastGood: (whose) => readLastGood(query, whose),
    externalPoints(perTarget) {
      return query(
        `SELECT * FROM (
           SELECT plan, target, id, run, created, size, mode, state, verified,
             ROW_NUMBER() OVER (PARTITION BY plan, target ORDER BY created DESC, rowid DESC) AS place
           FROM points WHERE external = 1
         ) WHERE place <= ?`,
        perTarget,
      ).map((row) => ({
        plan: String(row['plan']),
        target: String(row['target']),
        id: String(row['id']),
        run: String(row['run']),
        createdAt: new Date(Number(row['created'])),
        size: number(row['size']),
        mode: text(row['mode']) as RestorePoint['mode'],
        state: row['state'] as RestorePoint['state'],
        verifiedAt: date(row['verified']),
      }))
    },
  }
}
