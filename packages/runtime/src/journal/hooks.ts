// The calls of hooks of each run.
import type { StepName } from '../lifecycle/events.ts'
import type { FailureRecord, HookRecord } from './records.ts'
import { json, number, text } from './rows.ts'
import type { Statements } from './statements.ts'

/** Calls of hooks on record. */
export interface Hooks {
  /** @returns the row, to hand to {@link Hooks.ended} */
  started(run: string, call: Pick<HookRecord, 'hook' | 'participant' | 'target' | 'attempt'>): number
  ended(row: number, durationMs: number, error: FailureRecord | undefined): void
  of(run: string): readonly HookRecord[]
}

/** A part of the journal. */
export function openHooks({ query, write, shown, now }: Omit<Statements, 'writeDurably'>): Hooks {
  return {
    started(run, { hook, participant, target, attempt }) {
      const { lastInsertRowid } = write(
        `hook-start:${hook}`,
        'INSERT INTO hooks (run, hook, participant, target, attempt, started) VALUES (?, ?, ?, ?, ?, ?)',
        run,
        hook,
        participant,
        target ?? null,
        attempt,
        now().getTime(),
      )
      return Number(lastInsertRowid)
    },
    ended(row, durationMs, error) {
      write('hook-end', 'UPDATE hooks SET duration_ms = ?, error = ? WHERE rowid = ?', durationMs, shown(error), row)
    },
    of(run) {
      return query('SELECT * FROM hooks WHERE run = ? ORDER BY rowid', run).map((row) => ({
        hook: row['hook'] as StepName,
        participant: String(row['participant']),
        target: text(row['target']),
        attempt: Number(row['attempt']),
        startedAt: new Date(Number(row['started'])),
        durationMs: number(row['duration_ms']),
        error: json<FailureRecord>(row['error']),
      }))
    },
  }
}
