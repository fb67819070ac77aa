import type { FailureRecord, RunRecord } from '@holdfast/runtime'
import type { RunStatus } from '@holdfast/sdk'
import { errors } from '../../errors.ts'
import { limitIn, type Part } from './parts.ts'
import type { StatusSource } from './source.ts'

/** What went wrong, as far as somebody who only reads may know. */
export interface FailureView {
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
}

/** A run in a list. Times are ISO 8601. */
export interface RunSummary {
  readonly id: string
  readonly plan: string
  readonly drill?: string | undefined
  readonly status: RunStatus | 'running'
  readonly trigger: string
  readonly attempt: number
  readonly dryRun: boolean
  readonly scheduledFor: string
  readonly startedAt: string
  readonly endedAt?: string | undefined
  readonly ageMs: number
  /** Of one that goes on: until now. */
  readonly durationMs: number
  readonly reason?: string | undefined
  readonly error?: FailureView | undefined
  readonly warnings: readonly FailureView[]
}

/**
 * Runs, newest first.
 *
 * @param query - `plan`, `drill`, `before` (the id of a run), `limit`
 * @throws HoldfastError `API_PARAMETER`, `RUN_UNKNOWN`
 */
export function listRuns(source: StatusSource, query: URLSearchParams, usual?: number): Part<RunSummary> {
  const { history } = source.engine.journal
  const limit = limitIn(query, usual)
  const [plan, drill, before] = ['plan', 'drill', 'before'].map((name) => query.get(name) ?? undefined)
  if (before !== undefined && !history.run(before)) throw unknownRun(source, before)
  const found = history.runs({ plan, drill, before, limit: limit + 1 })
  const runs = found.slice(0, limit)
  const last = runs.at(-1)
  return {
    items: runs.map((run) => summaryOf(run, source.clock.now())),
    ...(found.length > limit && last && { next: { before: last.id } }),
  }
}

/** A run as lists have it. */
export function summaryOf(run: RunRecord, now: Date): RunSummary {
  const { id, plan, drill, status = 'running', trigger, attempt, dryRun, startedAt, endedAt } = run
  return {
    id,
    plan,
    drill,
    status,
    trigger,
    attempt,
    dryRun,
    scheduledFor: run.scheduledFor.toISOString(),
    startedAt: startedAt.toISOString(),
    endedAt: endedAt?.toISOString(),
    ageMs: now.getTime() - (endedAt ?? startedAt).getTime(),
    durationMs: Math.max(0, run.durationMs ?? (endedAt ?? now).getTime() - startedAt.getTime()),
    reason: run.reason,
    error: run.error && failureView(run.error),
    warnings: run.warnings.map(failureView),
  }
}

/** Without its details and causes. */
export function failureView({ code, message, hint }: Pick<FailureRecord, 'code' | 'message' | 'hint'>): FailureView {
  return { code, message, ...(hint !== undefined && { hint }) }
}

/** The error about a run that isn't on record. */
export function unknownRun({ engine }: StatusSource, run: string): Error {
  return errors.RUN_UNKNOWN({ run, directory: engine.services.stateDirectory })
}
