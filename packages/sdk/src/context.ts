import type { Duration } from './duration.ts'
import type { Exec, Sink } from './exec.ts'
import type { Awaitable, Bytes, Json } from './json.ts'
import type { Kubernetes } from './kubernetes.ts'
import type { Artifact, Outcome, RestorePoint, Run, Target } from './run.ts'
import type { Secrets } from './secret.ts'
import type { Undos } from './undo.ts'

/** Structured logging; secrets are redacted: `log.info('dumped', { tables: 12 })`. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** Time, injected: tests own it. */
export interface Clock {
  now(): Date
  /** Rejects with the signal's reason when aborted. */
  sleep(duration: Duration, signal?: AbortSignal): Promise<void>
}

/**
 * Metrics, with bounded labels only: never argv, error texts or run ids. They are served under the names that they are
 * given, so let those begin with the name of your plugin. Labels are named where a metric is made; of a value, one that is
 * left out is empty, and any other is left out, which the log says once.
 */
export interface Meter {
  counter(
    name: string,
    help: string,
    labels?: readonly string[],
  ): { add(n?: number, labels?: Record<string, string>): void }
  gauge(
    name: string,
    help: string,
    labels?: readonly string[],
  ): { set(n: number, labels?: Record<string, string>): void }
  histogram(
    name: string,
    help: string,
    labels?: readonly string[],
  ): { record(n: number, labels?: Record<string, string>): void }
}

/** Strings shared by every hook and script of one run: what `save_var` and `load_var` read and write. No place for secrets. */
export interface Vars {
  /** The directory behind it, one file per key; scripts find it in `HOLDFAST_VARS`. */
  readonly directory: string
  get(key: string): Promise<string | undefined>
  set(key: string, value: string): Promise<void>
}

/** What every piece of code of a plugin gets. */
export interface ServiceContext<Config> {
  readonly config: Config
  /** Aborts at the deadline of the hook, when the run is cancelled, and on shutdown. */
  readonly signal: AbortSignal
  readonly log: Logger
  readonly clock: Clock
  readonly meter: Meter
  readonly secrets: Secrets
  readonly exec: Exec
  /** `undefined` outside a cluster or without a service account. */
  readonly kubernetes: Kubernetes | undefined
  /** A private directory (0700), gone when the scope ends, swept after a crash. */
  workspace(): Promise<string>
  /**
   * Mutual exclusion across plans and processes that share the state directory.
   *
   * @throws HoldfastError `LOCK_BUSY` when it isn't free within `wait` (default: until the hook's deadline)
   */
  lock<T>(name: string, body: () => Awaitable<T>, options?: { wait?: Duration | undefined }): Promise<T>
}

/** Reading only: no run yet, no undo, no artifacts. */
export interface CheckContext<Config> extends ServiceContext<Config> {
  readonly plan: string
  readonly phase: 'load' | 'run' | 'command'
}

/** The context of a hook that runs once per run. */
export interface RunContext<Config> extends ServiceContext<Config> {
  readonly run: Run
  readonly vars: Vars
  readonly undo: Undos
  /**
   * Tells whoever watches how far it is: `done` of `total`, in whatever is counted, or bytes where no total is known; and
   * what is being done.
   */
  progress(done: number, total?: number, note?: string): void
  /**
   * Call it before freezing a filesystem: one that holds our state, logs, workspace or artifact store could never be
   * thawed again.
   *
   * @throws HoldfastError `FREEZE_SELF`
   */
  assertFreezable(path: string): Promise<void>
  /** In-memory clean-up at scope end, newest first; for what needs to survive a crash arm an undo. */
  defer(label: string, cleanup: (signal: AbortSignal) => unknown): void
}

/** The context of `backups`. */
export interface TargetContext<Config, Data extends Json = Json> extends RunContext<Config> {
  readonly target: Target<Data>
  /**
   * Two-phase: the artifact exists only once `produce` resolved, sizes and digests are known, and the manifest is
   * written.
   *
   * @param name - unique among the target's artifacts of this run
   * @param produce - writes the bytes; when it rejects, nothing is committed
   * @param options - `minSize` in bytes before encoding, default 1; `meta` goes into the manifest, as it is when `produce`
   * has resolved: so it can hold what only the bytes tell
   * @throws HoldfastError `ARTIFACT_TOO_SMALL`, `ARTIFACT_EXISTS`, `STORAGE_…`
   */
  createArtifact(
    name: string,
    produce: (sink: Sink) => unknown,
    options?: { meta?: Record<string, Json> | undefined; minSize?: number | undefined },
  ): Promise<Artifact>
  /** Records a restore point that lives elsewhere; `createArtifact` records its own. */
  record(point: Omit<RestorePoint, 'target' | 'state'>): Promise<void>
  /**
   * What earlier runs of this plan recorded for this target, newest first, as far as the journal still knows: what was
   * ours, even where the external engine has forgotten it.
   */
  recorded(): readonly RestorePoint[]
  /**
   * In `backups`: ends this target as `skipped` (not ours, excluded); what should be backed up and can't be throws
   * instead. In `verifyBackups`: there is nothing here that could be verified, so this handler proves nothing.
   */
  skip(reason: string): never
}

/** The context of `verifyBackups`. */
export interface VerifyContext<Config, Data extends Json = Json> extends TargetContext<Config, Data> {
  /** What this run made for the target. */
  readonly points: readonly RestorePoint[]
  /** Decoded bytes; fails at the end if the digest does not match. */
  openArtifact(id: string): Bytes
}

/** The context of `pruneBackups`: for points that live outside the store; expired artifacts are removed by the engine itself. */
export interface PruneContext<Config, Data extends Json = Json> extends RunContext<Config> {
  readonly target: Target<Data>
  /** All of this target's points, newest first. */
  readonly points: readonly RestorePoint[]
  /** What the plan's retention lets go; never the newest verified point. */
  readonly expired: readonly RestorePoint[]
}

/** The context of `onError` and `onFinish`. */
export interface FinishContext<Config> extends RunContext<Config> {
  readonly outcome: Outcome
}

/** The context in which an undo runs, perhaps in another process than the one that armed it. */
export interface UndoContext<Config = unknown> extends ServiceContext<Config> {
  readonly run: Run
  readonly vars: Vars
  /** 1 for the first attempt. */
  readonly attempt: number
  /** True when a new process took over after a crash. */
  readonly recovered: boolean
}
