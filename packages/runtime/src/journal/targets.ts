// How the targets of each run ended.
import type { TargetOutcome } from '@holdfast/sdk'
import { recordFailure } from '../failure.ts'
import type { FailureRecord, TargetRecord } from './records.ts'
import { json, text } from './rows.ts'
import type { Statements } from './statements.ts'

/** Targets on record. */
export interface Targets {
  record(run: string, outcome: TargetOutcome): void
  of(run: string): readonly TargetRecord[]
}

/** A part of the journal. */
export function openTargets({ query, write, shown }: Pick<Statements, 'query' | 'write' | 'shown'>): Targets {
  return {
    record(run, { target, status, verification, reason, error }) {
      write(
        'target',
        'INSERT OR REPLACE INTO targets VALUES (?, ?, ?, ?, ?, ?)',
        run,
        target.id,
        status,
        verification,
        shown(reason),
        shown(error && recordFailure(error)),
      )
    },
    of(run) {
      return query('SELECT * FROM targets WHERE run = ? ORDER BY rowid', run).map((row) => ({
        target: String(row['target']),
        status: row['status'] as TargetOutcome['status'],
        verification: row['verification'] as TargetOutcome['verification'],
        reason: text(row['reason']),
        error: json<FailureRecord>(row['error']),
      }))
    },
  }
}
