// Which slots were dealt with: so that a scheduler that starts knows which ones it has missed.
import { date } from './rows.ts'
import type { Statements } from './statements.ts'

/** Slots of plans and drills on record. */
export interface Slots {
  /** The newest one of this plan that was handled, in whatever way. */
  lastOfPlan(plan: string): Date | undefined
  /** The newest one of this drill that was handled, in whatever way; running it by hand handles those before. */
  lastOfDrill(drill: string): Date | undefined
  /** Since when each of these plans has had a schedule; other plans are forgotten. */
  scheduledSince(plans: readonly string[]): ReadonlyMap<string, Date>
}

/** A part of the journal. */
export function openSlots({ query, write, now }: Pick<Statements, 'query' | 'write' | 'now'>): Slots {
  return {
    lastOfPlan(plan) {
      const sql = `SELECT MAX(scheduled_for) AS at FROM runs WHERE plan = ? AND trigger IN ('schedule', 'catch-up')`
      return date(query(sql, plan)[0]?.['at'])
    },
    lastOfDrill: (drill) => date(query('SELECT MAX(scheduled_for) AS at FROM runs WHERE drill = ?', drill)[0]?.['at']),
    scheduledSince(plans) {
      const names = JSON.stringify(plans)
      const since = new Map(
        query(`SELECT substr(key, 11) AS plan, value FROM meta WHERE key LIKE 'scheduled %'`).map((row) => [
          String(row['plan']),
          new Date(Number(row['value'])),
        ]),
      )
      const known = new Set(plans)
      if ([...since.keys()].some((plan) => !known.has(plan))) {
        write(
          'scheduled',
          `DELETE FROM meta WHERE key LIKE 'scheduled %' AND substr(key, 11) NOT IN (SELECT value FROM json_each(?))`,
          names,
        )
      }
      const at = now()
      if (plans.some((plan) => !since.has(plan))) {
        write(
          'scheduled',
          `INSERT OR IGNORE INTO meta SELECT 'scheduled ' || value, ? FROM json_each(?)`,
          String(at.getTime()),
          names,
        )
      }
      return new Map(plans.map((plan) => [plan, since.get(plan) ?? at]))
    },
  }
}
