// Restore points outside the store; what is in the store the store knows.
import type { RestorePoint } from '@holdfast/sdk'
import { json, number, text } from './rows.ts'
import type { Statements } from './statements.ts'

/** Restore points on record. */
export interface Points {
  /** Remembers one, or what is new about it. */
  record(plan: string, run: string, participant: string, point: RestorePoint): void
  remove(plan: string, target: string, id: string): void
  /** Newest first. */
  of(plan: string, target: string): readonly RestorePoint[]
}

/** A part of the journal. */
export function openPoints({ query, write }: Pick<Statements, 'query' | 'write'>): Points {
  return {
    record(plan, run, participant, point) {
      write(
        'point',
        'INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)',
        plan,
        point.target,
        point.id,
        run,
        participant,
        point.createdAt.getTime(),
        point.size ?? null,
        point.mode ?? null,
        point.state,
        point.verifiedAt?.getTime() ?? null,
        JSON.stringify(point.ref ?? null),
      )
    },
    remove(plan, target, id) {
      write('point', 'DELETE FROM points WHERE plan = ? AND target = ? AND id = ?', plan, target, id)
    },
    of(plan, target) {
      return query(
        'SELECT * FROM points WHERE plan = ? AND target = ? AND external = 1 ORDER BY created DESC, rowid DESC',
        plan,
        target,
      ).map((row) => ({
        id: String(row['id']),
        target: String(row['target']),
        createdAt: new Date(Number(row['created'])),
        size: number(row['size']),
        mode: text(row['mode']) as RestorePoint['mode'],
        state: row['state'] as RestorePoint['state'],
        verifiedAt: row['verified'] === null ? undefined : new Date(Number(row['verified'])),
        ref: json(row['ref']),
      }))
    },
  }
}
