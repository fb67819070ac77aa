// Between rows of SQLite and the journal's records.
import type { FailureRecord, ProcessRecord, RunRecord, UndoRecord, UndoState } from './records.ts'

/** A row as node:sqlite gives it. */
export type Row = Record<string, string | number | null>

/** Text, or nothing. */
export function text(value: Row[string] | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value)
}

/** A number, or nothing. */
export function number(value: Row[string] | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value)
}

/** Milliseconds as a date, or nothing. */
export function date(value: Row[string] | undefined): Date | undefined {
  return value === null || value === undefined ? undefined : new Date(Number(value))
}

/** Parsed JSON, or nothing: one damaged field must not keep a process from starting. */
export function json<T>(value: Row[string] | undefined): T | undefined {
  if (typeof value !== 'string') return undefined
  try {
    return JSON.parse(value) as T
  } catch {
    return undefined
  }
}

/** A row of `processes`. */
export function toProcess(row: Row): ProcessRecord {
  return {
    id: String(row['id']),
    pid: Number(row['pid']),
    host: String(row['host']),
    boot: String(row['boot']),
    pod: text(row['pod']),
    podName: text(row['pod_name']),
    namespace: text(row['namespace']),
    workload: text(row['workload']),
    container: text(row['container']),
    containerStart: text(row['container_start']),
    processStart: text(row['process_start']),
    startedAt: new Date(Number(row['started'])),
  }
}

/** A row of `runs`. */
export function toRun(row: Row): RunRecord {
  return {
    id: String(row['id']),
    plan: String(row['plan']),
    instance: String(row['instance']),
    trigger: row['trigger'] as RunRecord['trigger'],
    drill: text(row['drill']),
    attempt: Number(row['attempt']),
    dryRun: row['dry_run'] === 1,
    scheduledFor: new Date(Number(row['scheduled_for'])),
    startedAt: new Date(Number(row['started'])),
    endedAt: date(row['ended']),
    durationMs: number(row['duration_ms']),
    status: text(row['status']) as RunRecord['status'],
    reason: text(row['reason']),
    error: json<FailureRecord>(row['error']),
    warnings: json<FailureRecord[]>(row['warnings']) ?? [],
    process: String(row['process']),
  }
}

/** A row of `undos`. */
export function toUndo(row: Row): UndoRecord {
  return {
    id: String(row['id']),
    run: String(row['run']),
    plan: String(row['plan']),
    instance: String(row['instance']),
    participant: String(row['participant']),
    undo: String(row['undo']),
    input: String(row['input']),
    armedAt: new Date(Number(row['armed'])),
    process: String(row['process']),
    state: row['state'] as UndoState,
    attempts: Number(row['attempts']),
    firedBy: text(row['fired_by']),
    settledAt: date(row['settled']),
    error: text(row['error']),
  }
}
