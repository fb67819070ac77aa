/** The journal's schema. A newer one is refused, an older one migrated: append a step, never change one. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE processes (
    id TEXT PRIMARY KEY, pid INTEGER NOT NULL, host TEXT NOT NULL, boot TEXT NOT NULL, pod TEXT, started INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE runs (
    id TEXT PRIMARY KEY, plan TEXT NOT NULL, instance TEXT NOT NULL, trigger TEXT NOT NULL, attempt INTEGER NOT NULL,
    dry_run INTEGER NOT NULL, scheduled_for INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER,
    duration_ms REAL, status TEXT, reason TEXT, error TEXT, warnings TEXT NOT NULL DEFAULT '[]',
    process TEXT NOT NULL, observers_due INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX runs_by_plan ON runs (plan, started);
  CREATE INDEX runs_open ON runs (process) WHERE ended IS NULL OR observers_due = 1;
  CREATE TABLE hooks (
    run TEXT NOT NULL, hook TEXT NOT NULL, participant TEXT NOT NULL, target TEXT, attempt INTEGER NOT NULL,
    started INTEGER NOT NULL, duration_ms REAL, error TEXT
  ) STRICT;
  CREATE INDEX hooks_by_run ON hooks (run);
  CREATE TABLE targets (
    run TEXT NOT NULL, target TEXT NOT NULL, status TEXT NOT NULL, verification TEXT NOT NULL, reason TEXT, error TEXT,
    PRIMARY KEY (run, target)
  ) STRICT;
  CREATE TABLE points (
    plan TEXT NOT NULL, target TEXT NOT NULL, id TEXT NOT NULL, run TEXT NOT NULL, participant TEXT NOT NULL,
    external INTEGER NOT NULL, created INTEGER NOT NULL, size INTEGER, mode TEXT, state TEXT NOT NULL,
    verified INTEGER, ref TEXT NOT NULL, PRIMARY KEY (plan, target, id)
  ) STRICT;
  CREATE TABLE undos (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, run TEXT NOT NULL, plan TEXT NOT NULL,
    instance TEXT NOT NULL, participant TEXT NOT NULL, undo TEXT NOT NULL, input TEXT NOT NULL, armed INTEGER NOT NULL,
    process TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, fired_by TEXT, settled INTEGER,
    error TEXT
  ) STRICT;
  CREATE INDEX undos_pending ON undos (state) WHERE state IN ('armed', 'firing');
  `,
  `
  ALTER TABLE processes ADD COLUMN pod_name TEXT;
  ALTER TABLE processes ADD COLUMN namespace TEXT;
  ALTER TABLE processes ADD COLUMN workload TEXT;
  ALTER TABLE processes ADD COLUMN container TEXT;
  ALTER TABLE processes ADD COLUMN container_start TEXT;
  ALTER TABLE processes ADD COLUMN process_start TEXT;
  `,
  `
  ALTER TABLE runs ADD COLUMN drill TEXT;
  CREATE INDEX runs_by_drill ON runs (drill, started) WHERE drill IS NOT NULL;
  `,
  `
  CREATE INDEX undos_by_run ON undos (run);
  CREATE TABLE pauses (plan TEXT PRIMARY KEY, paused INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
  `,
]

/** The schema that this version writes. */
export const schemaVersion = migrations.length
