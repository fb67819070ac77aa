// The journal: what ran, what is armed, what happened. SQLite in the state directory; a cache of the store, but the
// only home of pending undos, whose rows are committed with synchronous=FULL (DESIGN §4a).
import { randomUUID } from 'node:crypto'
import type { DatabaseSync, StatementResultingChanges } from 'node:sqlite'
import type { RestorePoint, Run, RunStatus, TargetOutcome } from '@holdfast/sdk'
import { recordFailure } from '../failure.ts'
import type { StepName } from '../lifecycle/events.ts'
import { plainValue } from '../telemetry/plain-value.ts'
import { openHistory, type History } from './history.ts'
import { isExecution, readLastBackup, readLastRuns, type LastRuns, type RunsOf } from './last-runs.ts'
import { openPauses, type Pauses } from './pauses.ts'
import type {
  FailureRecord,
  HookRecord,
  ProcessRecord,
  RunRecord,
  TargetRecord,
  UndoRecord,
  UndoState,
} from './records.ts'
import { json, number, text, toProcess, toRun, toUndo, type Row } from './rows.ts'

/** A query for past runs. */
export interface RunQuery {
  readonly plan?: string | undefined
  readonly drill?: string | undefined
  readonly limit?: number | undefined
  readonly id?: string | undefined
}

/** What arming writes. */
type ArmedRecord = Pick<UndoRecord, 'id' | 'run' | 'plan' | 'instance' | 'participant' | 'undo' | 'input' | 'process'>

/** A plan that runs every minute keeps most of a day; a daily one, years. */
const mostRunsOfPlan = 1000
/** Runs that back something up, or maintain it, and did. */
const isSuccess = `status = 'succeeded' AND ${isExecution}`
/** Forgetting must not keep anybody else waiting. */
const mostForgottenAtOnce = 1000

/** The journal of one state directory. */
export class Journal {
  readonly path: string
  /** The past, a part at a time. */
  readonly history: History = openHistory((sql, ...values) => this.#all(sql, ...values))
  /** The plans that somebody paused by hand. */
  readonly pauses: Pauses = openPauses({
    query: (sql, ...values) => this.#all(sql, ...values),
    write: (sql, ...values) => void this.#writeDurably('pause', sql, ...values),
    now: () => this.#now(),
  })
  readonly #db: DatabaseSync
  readonly #observe: (point: string) => void
  readonly #now: () => Date
  readonly #redact: (text: string) => string
  readonly #unwrittenEnds = new Map<string, readonly (string | number | null)[]>()
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>()

  /**
   * @param observe - called before and after every write
   * @param redact - applied to what people wrote: no later reader knows the secrets of this process (fault F54)
   */
  constructor(
    path: string,
    db: DatabaseSync,
    now: () => Date,
    observe: (point: string) => void = () => {},
    redact: (text: string) => string = (same) => same,
  ) {
    this.path = path
    this.#db = db
    this.#now = now
    this.#observe = observe
    this.#redact = redact
  }

  close(): void {
    try {
      for (const [id, values] of this.#unwrittenEnds) this.#writeEnd(id, values)
    } catch {
      // The next start takes these runs for interrupted ones.
    }
    this.#db.close()
  }

  /** Names this state directory, in the store's owner records. */
  stateId(): string {
    const found = this.#all('SELECT value FROM meta WHERE key = ?', 'state')[0]?.['value']
    if (typeof found === 'string') return found
    const id = randomUUID()
    this.#write('meta', 'INSERT INTO meta VALUES (?, ?)', 'state', id)
    return id
  }

  // ---- processes

  /** Enters a process, or what has become known of it since. */
  addProcess(process: ProcessRecord): void {
    const { id, pid, host, boot, startedAt } = process
    this.#write(
      'process',
      `INSERT OR REPLACE INTO processes
         (id, pid, host, boot, pod, started, pod_name, namespace, workload, container, container_start, process_start)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      pid,
      host,
      boot,
      process.pod ?? null,
      startedAt.getTime(),
      process.podName ?? null,
      process.namespace ?? null,
      process.workload ?? null,
      process.container ?? null,
      process.containerStart ?? null,
      process.processStart ?? null,
    )
  }

  process(id: string): ProcessRecord | undefined {
    return this.#all('SELECT * FROM processes WHERE id = ?', id).map(toProcess)[0]
  }

  processes(): readonly ProcessRecord[] {
    return this.#all('SELECT * FROM processes').map(toProcess)
  }

  removeProcess(id: string): void {
    this.#write('process', 'DELETE FROM processes WHERE id = ?', id)
  }

  // ---- runs

  beginRun(run: Run, instance: string, process: string): void {
    for (const [id, values] of this.#unwrittenEnds) this.#writeEnd(id, values)
    this.#write(
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
      this.#now().getTime(),
      process,
    )
  }

  /**
   * An end that can't be written is written before the next run begins: it must not look like a crash for ever.
   *
   * @param outcome - `observersDue`: onError and onFinish have not been called yet
   */
  endRun(
    id: string,
    outcome: {
      readonly status: RunStatus
      readonly reason?: string | undefined
      readonly error?: FailureRecord | undefined
      readonly warnings?: readonly FailureRecord[] | undefined
      readonly durationMs?: number | undefined
      readonly observersDue?: boolean | undefined
    },
  ): void {
    const values = [
      this.#now().getTime(),
      outcome.durationMs ?? null,
      outcome.status,
      this.#shown(outcome.reason),
      this.#shown(outcome.error),
      this.#shown(outcome.warnings ?? []),
      outcome.observersDue ? 1 : 0,
      id,
    ]
    this.#unwrittenEnds.set(id, values)
    this.#writeEnd(id, values)
  }

  #writeEnd(id: string, values: readonly (string | number | null)[]): void {
    this.#write(
      'run-end',
      `UPDATE runs SET ended = ?, duration_ms = ?, status = ?, reason = ?, error = ?, warnings = ?, observers_due = ? WHERE id = ?`,
      ...values,
    )
    this.#unwrittenEnds.delete(id)
  }

  /**
   * Enters a run of a process with another state directory, which died in the middle of it.
   *
   * @returns false when it is known already
   */
  adoptRun(
    run: Run,
    of: { instance: string; process: string; startedAt: Date; error: FailureRecord; observersDue: boolean },
  ): boolean {
    const { changes } = this.#write(
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
      this.#now().getTime(),
      this.#shown(of.error),
      of.observersDue ? 1 : 0,
    )
    return changes === 1
  }

  /** From now on onError and onFinish count as called, whatever happens. */
  observersCalled(id: string): void {
    this.#write('observers', 'UPDATE runs SET observers_due = 0 WHERE id = ?', id)
  }

  runs(query: RunQuery = {}): readonly RunRecord[] {
    return this.#all(
      `SELECT * FROM runs WHERE (? IS NULL OR plan = ?) AND (? IS NULL OR drill = ?)
         AND (? IS NULL OR id = ? OR id LIKE ? || '%')
       ORDER BY started DESC, rowid DESC LIMIT ?`,
      query.plan ?? null,
      query.plan ?? null,
      query.drill ?? null,
      query.drill ?? null,
      query.id ?? null,
      query.id ?? null,
      query.id ?? null,
      query.limit ?? -1,
    ).map(toRun)
  }

  /** Runs without an end, and ended ones whose observers are still due. */
  openRuns(): readonly (RunRecord & { readonly observersDue: boolean })[] {
    return this.#all('SELECT * FROM runs WHERE ended IS NULL OR observers_due = 1 ORDER BY started').map((row) => ({
      ...toRun(row),
      observersDue: row['observers_due'] === 1,
    }))
  }

  /** The newest slot of this plan that was handled, in whatever way. */
  lastScheduled(plan: string): Date | undefined {
    const at = this.#all(
      `SELECT MAX(scheduled_for) AS at FROM runs WHERE plan = ? AND trigger IN ('schedule', 'catch-up')`,
      plan,
    )[0]?.['at']
    return typeof at === 'number' ? new Date(at) : undefined
  }

  /** The newest slot of this drill that was handled, in whatever way; running it by hand handles those before. */
  lastDrill(drill: string): Date | undefined {
    const at = this.#all('SELECT MAX(scheduled_for) AS at FROM runs WHERE drill = ?', drill)[0]?.['at']
    return typeof at === 'number' ? new Date(at) : undefined
  }

  /** When a run of the plan last succeeded; dry runs, boots and restores are none. */
  lastSuccess(plan: string): Date | undefined {
    const at = this.#all(`SELECT MAX(ended) AS at FROM runs WHERE plan = ? AND ${isSuccess}`, plan)[0]?.['at']
    return typeof at === 'number' ? new Date(at) : undefined
  }

  /** What the runs of a plan or a drill were like: for metrics, which begin anew with each process. */
  lastRuns(whose: RunsOf): LastRuns {
    return readLastRuns((sql, ...values) => this.#all(sql, ...values), whose)
  }

  /** When a run of a plan or a drill last left a backup, or found that another installation makes it. */
  lastBackup(whose: RunsOf): Date | undefined {
    return readLastBackup((sql, ...values) => this.#all(sql, ...values), whose)
  }

  /** Since when each of these plans has had a schedule; other plans are forgotten. */
  scheduledSince(plans: readonly string[]): ReadonlyMap<string, Date> {
    const names = JSON.stringify(plans)
    const since = new Map(
      this.#all(`SELECT substr(key, 11) AS plan, value FROM meta WHERE key LIKE 'scheduled %'`).map((row) => [
        String(row['plan']),
        new Date(Number(row['value'])),
      ]),
    )
    const known = new Set(plans)
    if ([...since.keys()].some((plan) => !known.has(plan))) {
      this.#write(
        'scheduled',
        `DELETE FROM meta WHERE key LIKE 'scheduled %' AND substr(key, 11) NOT IN (SELECT value FROM json_each(?))`,
        names,
      )
    }
    const now = this.#now()
    if (plans.some((plan) => !since.has(plan))) {
      this.#write(
        'scheduled',
        `INSERT OR IGNORE INTO meta SELECT 'scheduled ' || value, ? FROM json_each(?)`,
        String(now.getTime()),
        names,
      )
    }
    return new Map(plans.map((plan) => [plan, since.get(plan) ?? now]))
  }

  /** Forgets runs that began before, a part of them at a time; the newest success of each plan and drill, and what is pending stay. */
  forgetRuns(before: Date): void {
    this.#forget('started < ?', before.getTime())
  }

  /**
   * Forgets the runs of a plan beyond its newest so many; its newest success and what is pending stay. Called after
   * every run, there is little to do: a plan that runs every minute doesn't fill the disk.
   */
  forgetRunsOf(plan: string, keep = mostRunsOfPlan): void {
    this.#forget(
      // Not by time: clocks jump back. Drills have their own number, so that they push out no backup.
      `plan = ? AND drill IS NULL AND rowid <
         (SELECT rowid FROM runs WHERE plan = ? AND drill IS NULL ORDER BY rowid DESC LIMIT 1 OFFSET ?)`,
      plan,
      plan,
      keep - 1,
    )
  }

  /** The same of a drill. */
  forgetRunsOfDrill(drill: string, keep = mostRunsOfPlan): void {
    this.#forget(
      `drill = ? AND rowid < (SELECT rowid FROM runs WHERE drill = ? ORDER BY rowid DESC LIMIT 1 OFFSET ?)`,
      drill,
      drill,
      keep - 1,
    )
  }

  #forget(which: string, ...values: (string | number)[]): void {
    const runs = this.#all(
      `SELECT id FROM runs WHERE ${which} AND ended IS NOT NULL AND observers_due = 0
         AND id NOT IN (SELECT run FROM undos WHERE state IN ('armed', 'firing'))
         AND NOT (${isSuccess} AND NOT EXISTS (
           SELECT 1 FROM runs AS newer WHERE newer.plan = runs.plan AND newer.rowid > runs.rowid AND newer.status = 'succeeded'
             AND newer.dry_run = 0 AND newer.trigger IN ('schedule', 'catch-up', 'manual', 'retry')
         ))
         AND NOT (drill IS NOT NULL AND status = 'succeeded' AND NOT EXISTS (
           SELECT 1 FROM runs AS newer WHERE newer.drill = runs.drill AND newer.rowid > runs.rowid AND newer.status = 'succeeded'
         ))
       LIMIT ${mostForgottenAtOnce}`,
      ...values,
    )
    for (const { id } of runs) {
      // The run last: what is interrupted is forgotten the next time.
      for (const table of ['hooks', 'targets', 'undos']) {
        this.#write('forget', `DELETE FROM ${table} WHERE run = ?`, String(id))
      }
      this.#write('forget', 'DELETE FROM runs WHERE id = ?', String(id))
    }
  }

  /** Adds to the warnings of a run that has ended. */
  addWarning(id: string, warning: FailureRecord): void {
    const shown = this.#shown(warning)
    this.#write('warning', `UPDATE runs SET warnings = json_insert(warnings, '$[#]', json(?)) WHERE id = ?`, shown, id)
  }

  // ---- notifications

  /**
   * Notes that something is told, until it is over.
   *
   * @returns false: it is told already
   */
  beginTold(what: string): boolean {
    const { changes } = this.#write(
      'told',
      'INSERT OR IGNORE INTO meta VALUES (?, ?)',
      `told ${what}`,
      String(this.#now().getTime()),
    )
    return changes === 1
  }

  /** Since when these have been told, and what begins so; by what it is. */
  told(prefix: string): ReadonlyMap<string, Date> {
    const rows = this.#all(
      `SELECT substr(key, 6) AS what, value FROM meta WHERE substr(key, 1, ?) = ?`,
      prefix.length + 5,
      `told ${prefix}`,
    )
    return new Map(rows.map(({ what, value }) => [String(what), new Date(Number(value))]))
  }

  /** It is over: the next time it is told again. */
  endTold(what: string): void {
    this.#write('told', 'DELETE FROM meta WHERE key = ?', `told ${what}`)
  }

  // ---- hooks and targets

  /** @returns the row, to hand to {@link hookEnded} */
  hookStarted(run: string, hook: StepName, participant: string, target: string | undefined, attempt: number): number {
    const { lastInsertRowid } = this.#write(
      `hook-start:${hook}`,
      'INSERT INTO hooks (run, hook, participant, target, attempt, started) VALUES (?, ?, ?, ?, ?, ?)',
      run,
      hook,
      participant,
      target ?? null,
      attempt,
      this.#now().getTime(),
    )
    return Number(lastInsertRowid)
  }

  hookEnded(row: number, durationMs: number, error?: FailureRecord): void {
    this.#write(
      'hook-end',
      'UPDATE hooks SET duration_ms = ?, error = ? WHERE rowid = ?',
      durationMs,
      this.#shown(error),
      row,
    )
  }

  hooks(run: string): readonly HookRecord[] {
    return this.#all('SELECT * FROM hooks WHERE run = ? ORDER BY rowid', run).map((row) => ({
      hook: row['hook'] as StepName,
      participant: String(row['participant']),
      target: text(row['target']),
      attempt: Number(row['attempt']),
      startedAt: new Date(Number(row['started'])),
      durationMs: number(row['duration_ms']),
      error: json<FailureRecord>(row['error']),
    }))
  }

  recordTarget(run: string, outcome: TargetOutcome): void {
    this.#write(
      'target',
      'INSERT OR REPLACE INTO targets VALUES (?, ?, ?, ?, ?, ?)',
      run,
      outcome.target.id,
      outcome.status,
      outcome.verification,
      this.#shown(outcome.reason),
      this.#shown(outcome.error && recordFailure(outcome.error)),
    )
  }

  targets(run: string): readonly TargetRecord[] {
    return this.#all('SELECT * FROM targets WHERE run = ? ORDER BY rowid', run).map((row) => ({
      target: String(row['target']),
      status: row['status'] as TargetOutcome['status'],
      verification: row['verification'] as TargetOutcome['verification'],
      reason: text(row['reason']),
      error: json<FailureRecord>(row['error']),
    }))
  }

  // ---- restore points

  /** Remembers a restore point outside the store, or what is new about it; what is in the store the store knows. */
  recordPoint(plan: string, run: string, participant: string, point: RestorePoint): void {
    this.#write(
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
  }

  removePoint(plan: string, target: string, id: string): void {
    this.#write('point', 'DELETE FROM points WHERE plan = ? AND target = ? AND id = ?', plan, target, id)
  }

  /** Restore points that live outside the store, newest first. */
  externalPoints(plan: string, target: string): readonly RestorePoint[] {
    return this.#all(
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
  }

  // ---- undos

  /** Durable when it returns: committed with synchronous=FULL. */
  armUndo(undo: ArmedRecord): void {
    this.#insertUndo('undo-arm', undo, this.#now())
  }

  /** Enters an undo that a process with another state directory armed. Durable when it returns. */
  adoptUndo(undo: ArmedRecord & Pick<UndoRecord, 'armedAt'>): void {
    this.#insertUndo('undo-adopt', undo, undo.armedAt)
  }

  #insertUndo(point: string, undo: ArmedRecord, armedAt: Date): void {
    this.#writeDurably(
      point,
      `INSERT INTO undos (id, run, plan, instance, participant, undo, input, armed, process, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'armed')`,
      undo.id,
      undo.run,
      undo.plan,
      undo.instance,
      undo.participant,
      undo.undo,
      undo.input,
      armedAt.getTime(),
      undo.process,
    )
  }

  /**
   * Takes an undo that is armed, or that `from` was firing, for one attempt.
   *
   * @returns false when somebody else has it, or it is settled
   */
  claimUndo(id: string, process: string, from?: string): boolean {
    const { changes } = this.#write(
      'undo-claim',
      `UPDATE undos SET state = 'firing', fired_by = ?, attempts = attempts + 1
       WHERE id = ? AND (state = 'armed' OR (state = 'firing' AND fired_by = ?))`,
      process,
      id,
      from ?? process,
    )
    return changes === 1
  }

  /**
   * Forgets an undo whose effect is meant to stay.
   *
   * @returns false when somebody has run it meanwhile, or is running it
   */
  disarmUndo(id: string): boolean {
    const { changes } = this.#writeDurably(
      'undo-disarmed',
      `UPDATE undos SET state = 'disarmed', settled = ? WHERE id = ? AND state IN ('armed', 'dropped')`,
      this.#now().getTime(),
      id,
    )
    return changes === 1
  }

  /** Ends an undo, or puts a failed attempt back to `armed`. */
  settleUndo(id: string, state: Exclude<UndoState, 'firing'>, error?: string): void {
    this.#writeDurably(
      `undo-${state}`,
      'UPDATE undos SET state = ?, error = ?, settled = ? WHERE id = ?',
      state,
      this.#shown(error),
      state === 'armed' ? null : this.#now().getTime(),
      id,
    )
  }

  undo(id: string): UndoRecord | undefined {
    return this.#all('SELECT * FROM undos WHERE id = ?', id).map(toUndo)[0]
  }

  /** Armed or firing, newest first. */
  pendingUndos(): readonly UndoRecord[] {
    return this.#all(`SELECT * FROM undos WHERE state IN ('armed', 'firing') ORDER BY seq DESC`).map(toUndo)
  }

  /** Of every undo that is on record, settled ones too. */
  undoIds(): readonly string[] {
    return this.#all('SELECT id FROM undos').map(({ id }) => String(id))
  }

  undos(run: string): readonly UndoRecord[] {
    return this.#all('SELECT * FROM undos WHERE run = ? ORDER BY seq', run).map(toUndo)
  }

  // ---- writing

  #shown(value: string | object | undefined): string | null {
    if (value === undefined) return null
    if (typeof value === 'string') return this.#redact(value)
    // Each text for itself: a secret of digits, blanked in the JSON, would leave something that nobody can parse.
    return JSON.stringify(plainValue(value, this.#redact))
  }

  #all(sql: string, ...values: (string | number | null)[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[]
  }

  #write(point: string, sql: string, ...values: (string | number | null)[]): StatementResultingChanges {
    this.#observe(`before write: ${point}`)
    const result = this.#prepare(sql).run(...values)
    this.#observe(`after write: ${point}`)
    return result
  }

  #writeDurably(point: string, sql: string, ...values: (string | number | null)[]): StatementResultingChanges {
    this.#db.exec('PRAGMA synchronous=FULL')
    try {
      return this.#write(point, sql, ...values)
    } finally {
      this.#db.exec('PRAGMA synchronous=NORMAL')
    }
  }

  #prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    let statement = this.#statements.get(sql)
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)))
    return statement
  }
}
