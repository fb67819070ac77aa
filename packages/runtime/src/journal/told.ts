// What people were told, and is not over yet.
import type { Statements } from './statements.ts'

/** Notes of what was told. */
export interface Told {
  /** Notes that something is told, until it is over. @returns false: it is told already */
  begin(what: string): boolean
  /** Since when these have been told, and what begins so; by what it is. */
  since(prefix: string): ReadonlyMap<string, Date>
  /** It is over: the next time it is told again. */
  end(what: string): void
}

/** A part of the journal. */
export function openTold({ query, write, now }: Pick<Statements, 'query' | 'write' | 'now'>): Told {
  return {
    begin(what) {
      const at = String(now().getTime())
      return write('told', 'INSERT OR IGNORE INTO meta VALUES (?, ?)', `told ${what}`, at).changes === 1
    },
    since(prefix) {
      const rows = query(
        `SELECT substr(key, 6) AS what, value FROM meta WHERE substr(key, 1, ?) = ?`,
        prefix.length + 5,
        `told ${prefix}`,
      )
      return new Map(rows.map(({ what, value }) => [String(what), new Date(Number(value))]))
    },
    end: (what) => void write('told', 'DELETE FROM meta WHERE key = ?', `told ${what}`),
  }
}
