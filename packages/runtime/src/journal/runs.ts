// Runs: when they began, how they ended.
import type { Run, RunStatus } from '@holdfast/sdk'
import type { FailureRecord, RunRecord } from './records.ts'
import { toRun } from './rows.ts'
import type { Statements } from './statements.ts'

/** A query for past runs. */
export interface RunQuery {
  readonly plan?: string | undefined
  readonly drill?: string | undefined
  readonly limit?: number | undefined
  readonly id?: string | undefined
}

/** A run without an end, or one whose observers are still due. */
export type OpenRun = RunRecord & { readonly observersDue: boolean }

/** How a run ended. */
export interface RunEnd extends Partial<Pick<RunRecord, 'reason' | 'error' | 'durationMs'>> {
  readonly status: RunStatus
  readonly warnings?: readonly FailureRecord[] | undefined
  /** onError and onFinish have not been called yet. */
  readonly observersDue?: boolean | undefined
}

/** What is known of a run that died with a process that has another state directory. */
export type AdoptedRun = Pick<RunRecord, 'instance' | 'process' | 'startedAt'> &
  Required<Pick<OpenRun, 'observersDue'>> & {
    readonly error: FailureRecord
  }

/** Runs on record. */
export interface Runs {
  begin(run: Run, instance: string, process: string): void
  /** An end that can't be written is written before the next run begins: it must not look like a crash for ever. */
  end(id: string, end: RunEnd): void
  /** Writes the ends that could not be written. */
  writeLateEnds(): void
  /** @returns false when it is known already */
  adopt(run: Run, of: AdoptedRun): boolean
  /** From now on onError and onFinish count as called, whatever happens. */
  observersCalled(id: string): void
  /** Adds to the warnings of a run that has ended. */
  addWarning(id: string, warning: FailureRecord): void
  /** Newest first. */
  find(query: RunQuery): readonly RunRecord[]
  /** Runs without an end, and ended ones whose observers are still due. */
  open(): readonly OpenRun[]
}

interface LateEnd extends RunEnd {
  readonly endedAt: Date
}

/** A part of the journal. */
export function openRuns({ query, write, shown, now }: Omit<Statements, 'writeDurably'>): Runs {
  /** With the times at which they ended. */
  const unwrittenEnds = new Map<string, LateEnd>()
  const end = (id: string, late: LateEnd): void => {
    const { endedAt, durationMs, status, reason, error, warnings = [], observersDue } = late
    const told = [shown(reason), shown(error), shown(warnings)]
    unwrittenEnds.set(id, late)
    write(
      'run-end',
      `UPDATE runs SET ended = ?, duration_ms = ?, status = ?, reason = ?, error = ?, warnings = ?, observers_due = ? WHERE id = ?`,
      endedAt.getTime(),
      durationMs ?? null,
      status,
      ...told,
      observersDue ? 1 : 0,
      id,
    )
    unwrittenEnds.delete(id)
  }
  const writeLateEnds = (): void => {
    for (const [id, late] of unwrittenEnds) end(id, late)
  }
  return {
    begin(run, instance, process) {
      writeLateEnds()
      write(
        'run-begin',
        `INSERT INTO runs (id, plan, instance, trigger, drill, attempt, dry_run, scheduled_for, started, process)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        run.id,
        run.plan,
        instance,
        run.trigger,
        run.drill ?? null,
        run.attempt,
        run.dryRun ? 1 : 0,
        run.scheduledFor.getTime(),
        now().getTime(),
        process,
      )
    },
    end: (id, ended) => end(id, { ...ended, endedAt: now() }),
    writeLateEnds,
    adopt(run, of) {
      const { changes } = write(
        'run-adopt',
        `INSERT OR IGNORE INTO runs
           (id, plan, instance, trigger, drill, attempt, dry_run, scheduled_for, started, process, ended, status, error, observers_due)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'aborted', ?, ?)`,
        run.id,
        run.plan,
        of.instance,
        run.trigger,
        run.drill ?? null,
        run.attempt,
        run.dryRun ? 1 : 0,
        run.scheduledFor.getTime(),
        of.startedAt.getTime(),
        of.process,
        now().getTime(),
        shown(of.error),
        of.observersDue ? 1 : 0,
      )
      return changes === 1
    },
    observersCalled(id) {
      const late = unwrittenEnds.get(id)
      if (late) end(id, { ...late, observersDue: false })
      else write('observers', 'UPDATE runs SET observers_due = 0 WHERE id = ?', id)
    },
    addWarning(id, warning) {
      const sql = `UPDATE runs SET warnings = json_insert(warnings, '$[#]', json(?)) WHERE id = ?`
      write('warning', sql, shown(warning), id)
    },
    find({ plan = null, drill = null, id = null, limit = -1 }) {
      return query(
        `SELECT * FROM runs WHERE (? IS NULL OR plan = ?) AND (? IS NULL OR drill = ?)
           AND (? IS NULL OR id = ? OR id LIKE ? || '%')
         ORDER BY started DESC, rowid DESC LIMIT ?`,
        plan,
        plan,
        drill,
        drill,
        id,
        id,
        id,
        limit,
      ).map(toRun)
    },
    open() {
      return query('SELECT * FROM runs WHERE ended IS NULL OR observers_due = 1 ORDER BY started').map((row) => ({
        ...toRun(row),
        observersDue: row['observers_due'] === 1,
      }))
    },
  }
}
