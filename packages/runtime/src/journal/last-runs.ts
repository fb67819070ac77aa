// What metrics of an earlier process were, as far as the journal knows (fault F52).
import type { RunStatus } from '@holdfast/sdk'
import { behindReason } from '../lifecycle/outcome.ts'
import type { FailureRecord } from './records.ts'
import { date, json, text, type Row } from './rows.ts'
import type { Query } from './statements.ts'

/** When a target was last backed up, as far as the newest runs of its plan tell. */
export interface LastOfTarget {
  /** In a way that could be read back, or that nobody reads back. */
  readonly succeededAt: Date | undefined
  /** And was read back whole. */
  readonly verifiedAt: Date | undefined
}

/** What the runs of a plan, or of a drill, were like; dry runs, boots and restores are none of a plan. */
export interface LastRuns {
  /** How the newest of them ended. */
  readonly status: RunStatus | undefined
  readonly startedAt: Date | undefined
  readonly endedAt: Date | undefined
  readonly succeededAt: Date | undefined
  readonly failedAt: Date | undefined
  /** The targets of the newest one that looked for any; `undefined`: none did. */
  readonly targets: ReadonlyMap<string, LastOfTarget> | undefined
}

/** A run of which the plan's times tell, as a condition in SQL. */
export const isExecution = `dry_run = 0 AND trigger IN ('schedule', 'catch-up', 'manual', 'retry')`

/** Runs that back something up, or maintain it, and did; as a condition in SQL. */
export const isSuccessfulExecution = `status = 'succeeded' AND ${isExecution}`

/** A target that fails for longer than this has no last success after a restart. */
const mostRunsLookedAt = 20

/** Whose runs. */
export type RunsOf = { readonly plan: string } | { readonly drill: string }

/** Runs of which the times of a plan or a drill tell, as a condition in SQL, and its value. */
function conditionOf(whose: RunsOf): readonly [condition: string, name: string] {
  return 'plan' in whose ? [`plan = ? AND ${isExecution}`, whose.plan] : ['drill = ? AND dry_run = 0', whose.drill]
}

/** Reads the journal: a few indexed queries. */
export function readLastRuns(query: Query, whose: RunsOf): LastRuns {
  const [of, name] = conditionOf(whose)
  const [times = {}] = query(
    `SELECT MAX(CASE WHEN status IS NOT 'skipped' THEN started END) AS started, MAX(ended) AS ended,
       MAX(CASE WHEN status = 'succeeded' OR reason = '${behindReason}' THEN ended END) AS succeeded,
       MAX(CASE WHEN status IN ('partial', 'failed', 'aborted') THEN ended END) AS failed
     FROM runs WHERE ${of}`,
    name,
  )
  const [newest] = query(
    `SELECT status FROM runs WHERE ${of} AND ended IS NOT NULL ORDER BY started DESC, rowid DESC LIMIT 1`,
    name,
  )
  return {
    status: text(newest?.['status']) as RunStatus | undefined,
    startedAt: date(times['started']),
    endedAt: date(times['ended']),
    succeededAt: date(times['succeeded']),
    failedAt: date(times['failed']),
    targets: 'plan' in whose ? targetsOf(query, name) : undefined,
  }
}

/** When a run last was good, as {@link LastRuns.succeededAt}. */
export function readLastGood(query: Query, whose: RunsOf): Date | undefined {
  const [of, name] = conditionOf(whose)
  const sql = `SELECT MAX(ended) AS at FROM runs WHERE ${of} AND (status = 'succeeded' OR reason = '${behindReason}')`
  return date(query(sql, name)[0]?.['at'])
}

/** When a run last left a backup, or found that another installation that shares the store makes it. */
export function readLastBackup(query: Query, whose: RunsOf): Date | undefined {
  const [of, name] = conditionOf(whose)
  const sql = `SELECT MAX(ended) AS at FROM runs
    WHERE ${of} AND (status = 'succeeded' OR reason IN ('${behindReason}', 'store-owned'))`
  return date(query(sql, name)[0]?.['at'])
}

function targetsOf(query: Query, plan: string): LastRuns['targets'] {
  const runs = query(
    `SELECT id, ended, reason, error FROM runs WHERE plan = ? AND ${isExecution} AND ended IS NOT NULL
       AND status <> 'skipped' ORDER BY started DESC, rowid DESC LIMIT ${mostRunsLookedAt}`,
    plan,
  )
  let found: Map<string, LastOfTarget> | undefined
  for (const run of runs) {
    if (found && [...found.values()].every(({ succeededAt }) => succeededAt !== undefined)) break
    const rows = query('SELECT target, status, verification FROM targets WHERE run = ?', String(run['id']))
    // A run that failed earlier knows nothing of targets.
    if (!found && rows.length === 0 && !foundNone(run)) continue
    found ??= new Map(rows.map((row) => [String(row['target']), { succeededAt: undefined, verifiedAt: undefined }]))
    for (const { target, status, verification } of rows) {
      const id = String(target)
      const last = found.get(id)
      if (!last || status !== 'succeeded' || verification === 'unverified') continue
      const at = date(run['ended'])
      const verifiedAt = last.verifiedAt ?? (verification === 'verified' ? at : undefined)
      found.set(id, { succeededAt: last.succeededAt ?? at, verifiedAt })
    }
  }
  return found
}

function foundNone(run: Row): boolean {
  return run['reason'] === 'empty' || json<FailureRecord>(run['error'])?.code === 'NO_TARGETS'
}
