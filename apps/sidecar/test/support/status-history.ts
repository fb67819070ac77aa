import type { StoredArtifact } from '@holdfast/runtime'
import { artifact, now, statusWorld, type StatusWorld } from './status.ts'

/** Of 50 targets each: so much a page must bear. */
export const manyRuns = 1000

/** A journal and a store with so many runs of 50 targets each, entered as fast as SQLite can. */
export function history(runs: number): StatusWorld {
  const made = statusWorld({
    plans: Array.from({ length: 50 }, (_, index) => `plan-with-a-name-of-some-length-${index}`),
    async *list() {
      for (let run = runs; run > 0; run--) {
        const createdAt = new Date(Date.parse(now) - (runs - run) * 60_000)
        for (let target = 0; target < 50; target++) yield storedAt(run, target, createdAt)
      }
    },
  })
  made.sql(`
    BEGIN;
    CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${runs}) SELECT i FROM c;
    CREATE TEMP TABLE t AS WITH RECURSIVE c(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM c WHERE j < 49) SELECT j FROM c;
    INSERT INTO runs (id, plan, instance, trigger, attempt, dry_run, scheduled_for, started, ended, duration_ms, status, process, error)
      SELECT '20261123T120000Z-' || printf('%08d', i), 'plan-with-a-name-of-some-length-' || (i % 50), 'default', 'schedule', 1, 0,
        ${Date.parse(now)} - (${runs} - i) * 60000, ${Date.parse(now)} - (${runs} - i) * 60000, ${Date.parse(now)} - (${runs} - i) * 60000 + 30000, 30000,
        CASE WHEN i % 7 THEN 'succeeded' ELSE 'failed' END, 'p1',
        CASE WHEN i % 7 THEN NULL ELSE '{"code":"EXEC_EXIT","message":"pg_dump ended with 1: connection to server on socket was lost","hint":"Look."}' END FROM n;
    INSERT INTO hooks (run, hook, participant, target, attempt, started, duration_ms)
      SELECT '20261123T120000Z-' || printf('%08d', i), 'backups', 'database', 'target-' || j, 1, ${Date.parse(now)} - (${runs} - i) * 60000 + j * 500, 400 FROM n, t;
    INSERT INTO targets (run, target, status, verification)
      SELECT '20261123T120000Z-' || printf('%08d', i), 'target-' || j, 'succeeded', 'verified' FROM n, t;
    COMMIT;`)
  return made
}

function storedAt(run: number, target: number, createdAt: Date): StoredArtifact {
  const id = `20261123T120000Z-${String(run).padStart(8, '0')}`
  return artifact({
    run: id,
    plan: 'plan-with-a-name-of-some-length-1',
    target: `target-${target}`,
    createdAt,
    size: 1e9 + run,
  })
}
