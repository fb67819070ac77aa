// The journal: what ran, what is armed, what happened. SQLite in the state directory; a cache of the store, but the
// only home of pending undos, whose rows are committed with synchronous=FULL (DESIGN §4a). Each subject is a file beside
// this one.
import { randomUUID } from 'node:crypto'
import type { RestorePoint, Run, RunStatus, TargetOutcome } from '@holdfast/sdk'
import type { StepName } from '../lifecycle/events.ts'
import type { Connection } from './connection.ts'
import { forgetRunsBefore, forgetRunsOfDrill, forgetRunsOfPlan, mostRunsOfPlan } from './forget-runs.ts'
import { openHistory, type History } from './history.ts'
import { openHooks, type Hooks } from './hooks.ts'
import { readLastBackup, readLastRuns, type LastRuns, type RunsOf } from './last-runs.ts'
import { openPauses, type Pauses } from './pauses.ts'
import { openPoints, type Points } from './points.ts'
import { openProcesses, type Processes } from './processes.ts'
import type {
  FailureRecord,
  HookRecord,
  ProcessRecord,
  RunRecord,
  TargetRecord,
  UndoRecord,
  UndoState,
} from './records.ts'
import { openRuns, type RunQuery, type Runs } from './runs.ts'
import { openSlots, type Slots } from './slots.ts'
import { prepareStatements, type Statements } from './statements.ts'
import { openTargets, type Targets } from './targets.ts'
import { openTold, type Told } from './told.ts'
import { openUndos, type ArmedRecord, type Undos } from './undos.ts'
import { openUsedStores, type UsedStores } from './used-stores.ts'

/** The journal of one state directory. */
export class Journal {
  readonly path: string
  /** The past, a part at a time. */
  readonly history: History
  /** The plans that somebody paused by hand. */
  readonly pauses: Pauses
  /** The stores that plans have used. */
  readonly usedStores: UsedStores
  readonly #connection: Connection
  readonly #statements: Statements
  readonly #processes: Processes
  readonly #runs: Runs
  readonly #slots: Slots
  readonly #told: Told
  readonly #hooks: Hooks
  readonly #targets: Targets
  readonly #points: Points
  readonly #undos: Undos

  /**
   * @param observe - called before and after every write
   * @param redact - applied to what people wrote: no later reader knows the secrets of this process (fault F54)
   */
  constructor(
    path: string,
    connection: Connection,
    now: () => Date,
    observe: (point: string) => void = () => {},
    redact: (text: string) => string = (same) => same,
  ) {
    this.path = path
    this.#connection = connection
    const statements = prepareStatements({ connection, now, observe, redact })
    this.#statements = statements
    this.history = openHistory(statements.query)
    this.pauses = openPauses(statements)
    this.usedStores = openUsedStores(statements)
    this.#processes = openProcesses(statements)
    this.#runs = openRuns(statements)
    this.#slots = openSlots(statements)
    this.#told = openTold(statements)
    this.#hooks = openHooks(statements)
    this.#targets = openTargets(statements)
    this.#points = openPoints(statements)
    this.#undos = openUndos(statements)
  }

  close(): void {
    try {
      this.#runs.writeLateEnds()
    } catch {
      // The next start takes these runs for interrupted ones.
    }
    this.#connection.close()
  }

  /** Names this state directory, in the store's owner records. */
  stateId(): string {
    const { query, write } = this.#statements
    const found = query('SELECT value FROM meta WHERE key = ?', 'state')[0]?.['value']
    if (typeof found === 'string') return found
    const id = randomUUID()
    write('meta', 'INSERT INTO meta VALUES (?, ?)', 'state', id)
    return id
  }

  // ---- processes

  /** Enters a process, or what has become known of it since. */
  addProcess(process: ProcessRecord): void {
    this.#processes.add(process)
  }

  process(id: string): ProcessRecord | undefined {
    return this.#processes.find(id)
  }

  processes(): readonly ProcessRecord[] {
    return this.#processes.all()
  }

  removeProcess(id: string): void {
    this.#processes.remove(id)
  }

  // ---- runs

  beginRun(run: Run, instance: string, process: string): void {
    this.#runs.begin(run, instance, process)
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
    this.#runs.end(id, outcome)
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
    return this.#runs.adopt(run, of)
  }

  /** From now on onError and onFinish count as called, whatever happens. */
  observersCalled(id: string): void {
    this.#runs.observersCalled(id)
  }

  /** Adds to the warnings of a run that has ended. */
  addWarning(id: string, warning: FailureRecord): void {
    this.#runs.addWarning(id, warning)
  }

  runs(query: RunQuery = {}): readonly RunRecord[] {
    return this.#runs.find(query)
  }

  /** Runs without an end, and ended ones whose observers are still due. */
  openRuns(): readonly (RunRecord & { readonly observersDue: boolean })[] {
    return this.#runs.open()
  }

  /** What the runs of a plan or a drill were like: for metrics, which begin anew with each process. */
  lastRuns(whose: RunsOf): LastRuns {
    return readLastRuns(this.#statements.query, whose)
  }

  /** When a run of a plan or a drill last left a backup, or found that another installation makes it. */
  lastBackup(whose: RunsOf): Date | undefined {
    return readLastBackup(this.#statements.query, whose)
  }

  /** Forgets runs that began before, a part of them at a time; the newest success of each plan and drill, and what is pending stay. */
  forgetRuns(before: Date): void {
    forgetRunsBefore(this.#statements, before)
  }

  /**
   * Forgets the runs of a plan beyond its newest so many; its newest success and what is pending stay. Called after
   * every run, there is little to do: a plan that runs every minute doesn't fill the disk.
   */
  forgetRunsOf(plan: string, keep = mostRunsOfPlan): void {
    forgetRunsOfPlan(this.#statements, plan, keep)
  }

  /** The same of a drill. */
  forgetRunsOfDrill(drill: string, keep = mostRunsOfPlan): void {
    forgetRunsOfDrill(this.#statements, drill, keep)
  }

  // ---- slots

  /** The newest slot of this plan that was handled, in whatever way. */
  lastScheduled(plan: string): Date | undefined {
    return this.#slots.lastOfPlan(plan)
  }

  /** The newest slot of this drill that was handled, in whatever way; running it by hand handles those before. */
  lastDrill(drill: string): Date | undefined {
    return this.#slots.lastOfDrill(drill)
  }

  /** Since when each of these plans has had a schedule; other plans are forgotten. */
  scheduledSince(plans: readonly string[]): ReadonlyMap<string, Date> {
    return this.#slots.scheduledSince(plans)
  }

  // ---- notifications

  /**
   * Notes that something is told, until it is over.
   *
   * @returns false: it is told already
   */
  beginTold(what: string): boolean {
    return this.#told.begin(what)
  }

  /** Since when these have been told, and what begins so; by what it is. */
  told(prefix: string): ReadonlyMap<string, Date> {
    return this.#told.since(prefix)
  }

  /** It is over: the next time it is told again. */
  endTold(what: string): void {
    this.#told.end(what)
  }

  // ---- hooks and targets

  /** @returns the row, to hand to {@link hookEnded} */
  hookStarted(run: string, hook: StepName, participant: string, target: string | undefined, attempt: number): number {
    return this.#hooks.started(run, { hook, participant, target, attempt })
  }

  hookEnded(row: number, durationMs: number, error?: FailureRecord): void {
    this.#hooks.ended(row, durationMs, error)
  }

  hooks(run: string): readonly HookRecord[] {
    return this.#hooks.of(run)
  }

  recordTarget(run: string, outcome: TargetOutcome): void {
    this.#targets.record(run, outcome)
  }

  targets(run: string): readonly TargetRecord[] {
    return this.#targets.of(run)
  }

  // ---- restore points

  /** Remembers a restore point outside the store, or what is new about it; what is in the store the store knows. */
  recordPoint(plan: string, run: string, participant: string, point: RestorePoint): void {
    this.#points.record(plan, run, participant, point)
  }

  removePoint(plan: string, target: string, id: string): void {
    this.#points.remove(plan, target, id)
  }

  /** Restore points that live outside the store, newest first. */
  externalPoints(plan: string, target: string): readonly RestorePoint[] {
    return this.#points.of(plan, target)
  }

  // ---- undos

  /** Durable when it returns: committed with synchronous=FULL. */
  armUndo(undo: ArmedRecord): void {
    this.#undos.arm(undo)
  }

  /** Enters an undo that a process with another state directory armed. Durable when it returns. */
  adoptUndo(undo: ArmedRecord & Pick<UndoRecord, 'armedAt'>): void {
    this.#undos.adopt(undo)
  }

  /**
   * Takes an undo that is armed, or that `from` was firing, for one attempt.
   *
   * @returns false when somebody else has it, or it is settled
   */
  claimUndo(id: string, process: string, from?: string): boolean {
    return this.#undos.claim(id, process, from)
  }

  /**
   * Forgets an undo whose effect is meant to stay.
   *
   * @returns false when somebody has run it meanwhile, or is running it
   */
  disarmUndo(id: string): boolean {
    return this.#undos.disarm(id)
  }

  /** Ends an undo, or puts a failed attempt back to `armed`. */
  settleUndo(id: string, state: Exclude<UndoState, 'firing'>, error?: string): void {
    this.#undos.settle(id, state, error)
  }

  undo(id: string): UndoRecord | undefined {
    return this.#undos.find(id)
  }

  /** Armed or firing, newest first. */
  pendingUndos(): readonly UndoRecord[] {
    return this.#undos.pending()
  }

  /** Of every undo that is on record, settled ones too. */
  undoIds(): readonly string[] {
    return this.#undos.ids()
  }

  undos(run: string): readonly UndoRecord[] {
    return this.#undos.of(run)
  }
}
