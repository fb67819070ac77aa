// Forgetting runs, so that no plan fills the disk; the newest success of each plan and drill, and what is pending stay.
import { isSuccessfulExecution } from './last-runs.ts'
import type { Statements, Value } from './statements.ts'

/** A plan that runs every minute keeps most of a day; a daily one, years. */
export const mostRunsOfPlan = 1000
/** Forgetting must not keep anybody else waiting. */
const mostForgottenAtOnce = 1000

type Access = Pick<Statements, 'query' | 'write'>

/** Forgets a part of the runs that began before. */
export function forgetRunsBefore(access: Access, before: Date): void {
  forget(access, 'started < ?', before.getTime())
}

/** Forgets the runs of a plan beyond its newest so many. */
export function forgetRunsOfPlan(access: Access, plan: string, keep: number): void {
  forget(
    access,
    // Not by time: clocks jump back. Drills have their own number, so that they push out no backup.
    `plan = ? AND drill IS NULL AND rowid <
       (SELECT rowid FROM runs WHERE plan = ? AND drill IS NULL ORDER BY rowid DESC LIMIT 1 OFFSET ?)`,
    plan,
    plan,
    keep - 1,
  )
}

/** Forgets the runs of a drill beyond its newest so many. */
export function forgetRunsOfDrill(access: Access, drill: string, keep: number): void {
  forget(
    access,
    `drill = ? AND rowid < (SELECT rowid FROM runs WHERE drill = ? ORDER BY rowid DESC LIMIT 1 OFFSET ?)`,
    drill,
    drill,
    keep - 1,
  )
}

function forget({ query, write }: Access, which: string, ...values: Value[]): void {
  const runs = query(
    `SELECT id FROM runs WHERE ${which} AND ended IS NOT NULL AND observers_due = 0
       AND id NOT IN (SELECT run FROM undos WHERE state IN ('armed', 'firing'))
       AND NOT (${isSuccessfulExecution} AND NOT EXISTS (
         SELECT 1 FROM runs AS newer WHERE newer.plan = runs.plan AND newer.rowid > runs.rowid AND newer.status = 'succeeded'
           AND newer.dry_run = 0 AND newer.trigger IN ('schedule', 'catch-up', 'manual', 'retry')
       ))
       AND NOT (drill IS NOT NULL AND status = 'succeeded' AND NOT EXISTS (
         SELECT 1 FROM runs AS newer WHERE newer.drill = runs.drill AND newer.rowid > runs.rowid AND newer.status = 'succeeded'
       ))
     LIMIT ${mostForgottenAtOnce}`,
    ...values,
  )
  for (const { id } of runs) {
    // The run last: what is interrupted is forgotten the next time.
    for (const table of ['hooks', 'targets', 'undos']) {
      write('forget', `DELETE FROM ${table} WHERE run = ?`, String(id))
    }
    write('forget', 'DELETE FROM runs WHERE id = ?', String(id))
  }
}
