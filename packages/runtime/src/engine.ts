import { setMaxListeners } from 'node:events'
import {
  formatDuration,
  type Exec,
  type Kubernetes,
  type Logger,
  type Outcome,
  type Run,
  type RunTrigger,
} from '@holdfast/sdk'
import { fsStorage } from './artifacts/fs-driver.ts'
import { createArtifactStore, type ArtifactStore } from './artifacts/store.ts'
import { systemClock, type RuntimeClock } from './clock.ts'
import { errors } from './errors.ts'
import { recordFailure } from './failure.ts'
import type { Journal } from './journal/journal.ts'
import { openJournal } from './journal/open-journal.ts'
import { openLocks, type Locks } from './journal/locks.ts'
import { isStateDurable } from './journal/durability.ts'
import { enterProcess, lockDirectoryOf } from './journal/process.ts'
import {
  abortInterrupted,
  observeInterrupted,
  recoverUndos,
  sweepAfterCrash,
  type Recovery,
} from './journal/recovery.ts'
import type { UndoMirror } from './journal/undo-mirror.ts'
import type { RunEventListener } from './lifecycle/events.ts'
import { executeRun } from './lifecycle/execute.ts'
import { newRunId } from './lifecycle/run-id.ts'
import type { ResolvedConfig, ResolvedPlan } from './load/resolved.ts'
import { createExec } from './exec/create-exec.ts'
import type { ExecOutput } from './exec/output.ts'
import { createSecrets } from './secrets.ts'
import type { Services } from './services.ts'
import type { RuntimeLogger } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'
import type { Redactor } from './telemetry/redaction.ts'
import { recordMetrics } from './telemetry/run-metrics.ts'
import { join } from 'node:path'

/** Options of {@link createEngine}. */
export interface CreateEngineOptions {
  readonly config: ResolvedConfig
  readonly stateDirectory: string
  readonly log: RuntimeLogger
  readonly redactor: Redactor
  readonly metrics: Metrics
  /** Where the output of commands goes. */
  readonly output: ExecOutput
  readonly clock?: RuntimeClock | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly events?: RunEventListener | undefined
  readonly kubernetes?: Kubernetes | undefined
  readonly undoMirror?: UndoMirror | undefined
  /** This pod's UID, where there is one. */
  readonly pod?: string | undefined
  /** Replaces the real commands; for tests. */
  readonly exec?: ((options: { readonly signal: AbortSignal; readonly log: Logger }) => Exec) | undefined
  /** Called before and after each write to the journal; for tests. */
  readonly observeJournal?: ((point: string) => void) | undefined
}

/** What to run. */
export interface RunRequest {
  readonly trigger?: RunTrigger | undefined
  /** Default: now. */
  readonly scheduledFor?: Date | undefined
  readonly only?: readonly string[] | undefined
  readonly dryRun?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** A run that ended. */
export interface RunResult {
  readonly run: Run
  readonly outcome: Outcome
}

/** The engine of one process: runs plans, recovers what died, shuts down in order. */
export interface Engine {
  readonly services: Services
  readonly journal: Journal
  readonly locks: Locks
  store(): ArtifactStore
  config(): ResolvedConfig
  /** Takes a new configuration into force for the runs that begin from now on. */
  reconfigure(config: ResolvedConfig): void
  plan(name: string): ResolvedPlan
  /**
   * Gives back what dead processes have taken, one attempt each, and marks their runs as aborted. Before anything
   * else runs.
   */
  recover(): Promise<Recovery>
  /** Runs `installDependencies` of every plan that has it. @returns the outcomes, and whether the process may go on */
  boot(): Promise<{ readonly results: readonly RunResult[]; readonly ok: boolean }>
  /** Retries what {@link recover} could not give back, to each undo's deadline, and calls the observers of dead runs. */
  finishRecovery(): Promise<Recovery['undos']>
  /** Runs pending undos because a person asks for it. @param options - `force`: whoever armed them is gone for sure */
  runUndos(options: {
    readonly only?: readonly string[] | undefined
    readonly force?: boolean | undefined
  }): Promise<Recovery['undos']>
  /** Runs a plan, with the retries that it asks for. Never rejects for a failed run: the outcome says it. */
  run(plan: string, request?: RunRequest): Promise<RunResult>
  /** Records a slot that was not run. */
  recordSkip(plan: string, scheduledFor: Date, reason: string): void
  /**
   * Aborts what runs and waits until everything is given back or the grace is used up. Called again, it hurries:
   * hooks get no more grace, undos still get theirs.
   */
  shutdown(graceMs: number): Promise<void>
  close(): void
}

/**
 * Opens the state directory and builds the engine on it.
 *
 * @throws HoldfastError `JOURNAL_NEWER`, `JOURNAL_UNWRITABLE`
 */
export function createEngine(options: CreateEngineOptions): Engine {
  const { stateDirectory, log, redactor, metrics, output, clock = systemClock, env = process.env } = options
  let config = options.config
  const journal = openJournal({
    directory: stateDirectory,
    now: () => clock.now(),
    onCorrupt: (error) => {
      log.error(error.message, { error })
      metrics
        .counter('holdfast_state_store_errors_total', 'Failures of the state directory', ['op'])
        .add(1, { op: 'corrupt' })
    },
    observe: options.observeJournal,
    redact: (text) => redactor.text(text),
  })
  const locks = openLocks(lockDirectoryOf(stateDirectory), clock)
  const self = enterProcess({ journal, locks, clock, pod: options.pod })
  const durable = options.undoMirror !== undefined || isStateDurable(stateDirectory)
  metrics.gauge('holdfast_state_durable', 'Whether armed undos survive a restart of the container').set(durable ? 1 : 0)
  if (!durable) {
    const error = errors.STATE_NOT_DURABLE({ path: stateDirectory })
    log.warn(error.message, { error })
  }
  const secrets = createSecrets({ redactor, env })
  const requested = controller()
  const hurried = controller()
  const expired = controller()
  let store: ArtifactStore | undefined
  const toMetrics = recordMetrics(metrics)
  const running = new Set<Promise<unknown>>()

  const services: Services = {
    clock,
    log,
    meter: metrics,
    secrets,
    locks,
    journal,
    process: self,
    stateDirectory,
    kubernetes: options.kubernetes,
    undoMirror: options.undoMirror,
    emit(event) {
      toMetrics(event)
      if (event.type === 'undo-settled' && event.result !== 'taken') countPending(event.undo)
      options.events?.(event)
    },
    execFor:
      options.exec ?? ((call) => createExec({ clock, redactor, output, env, signal: call.signal, log: call.log })),
    config: () => config,
    store: () =>
      (store ??= createArtifactStore({
        driver: config.storage ?? fsStorage({ path: join(stateDirectory, 'artifacts') }),
        instance: config.instance,
        clock,
        log,
        secrets,
        meter: metrics,
      })),
    shutdown: { requested: requested.signal, hurried: hurried.signal, expired: expired.signal },
  }

  // Undos whose deadline has passed: they wait for a person, or for the next run.
  const overdue = new Set<string>()
  const countPending = (kind: string): void => {
    const pending = journal.pendingUndos().filter(({ undo, attempts }) => undo === kind && attempts > 0)
    if (pending.length === 0 && !overdue.has(kind)) return
    overdue.add(kind)
    metrics
      .gauge('holdfast_undos_pending', 'Effects that have not been given back', ['kind'])
      .set(pending.length, { kind })
  }

  const plan = (name: string): ResolvedPlan => {
    const found = config.plans.find((each) => each.name === name)
    if (!found)
      throw errors.PLAN_UNKNOWN({ plan: name, known: config.plans.map((each) => each.name).join(', ') || 'none' })
    return found
  }

  const newRun = (name: string, request: RunRequest, attempt: number): Run => ({
    id: newRunId(clock.now()),
    plan: name,
    attempt,
    scheduledFor: request.scheduledFor ?? clock.now(),
    trigger: attempt > 1 ? 'retry' : (request.trigger ?? 'manual'),
    dryRun: request.dryRun ?? false,
  })

  const skip = (run: Run, error: Error & { code?: string }, reason: string): RunResult => {
    journal.beginRun(run, config.instance, self.id)
    const failure = errors.PLAN_BUSY({ plan: run.plan }, { cause: error.cause, run: run.id })
    journal.endRun(run.id, { status: 'skipped', reason, error: recordFailure(failure) })
    const outcome: Outcome = { status: 'skipped', reason, targets: [], error: failure, warnings: [] }
    services.emit({ type: 'run-ended', run, outcome, status: 'skipped', durationMs: 0 })
    return { run, outcome }
  }

  const runLocked = async (name: string, request: RunRequest): Promise<RunResult> => {
    const resolved = plan(name)
    for (let attempt = 1; ; attempt++) {
      const run = newRun(name, request, attempt)
      const outcome = await executeRun(services, { run, plan: resolved, only: request.only, signal: request.signal })
      const again = attempt < resolved.retry.attempts && ['failed', 'partial'].includes(outcome.status)
      if (!again || run.dryRun || requested.signal.aborted) return { run, outcome }
      log.info(`plan "${name}" is tried again in ${formatDuration(resolved.retry.backoffMs)}`, {
        plan: name,
        run: run.id,
      })
      await clock.sleep(resolved.retry.backoffMs, requested.signal).catch(() => {})
      if (requested.signal.aborted) return { run, outcome }
    }
  }

  const track = async <T>(work: Promise<T>): Promise<T> => {
    running.add(work)
    try {
      return await work
    } finally {
      running.delete(work)
    }
  }

  return {
    services,
    journal,
    locks,
    store: services.store,
    config: services.config,
    reconfigure(next) {
      config = next
      store = undefined
    },
    plan,
    async recover() {
      const undos = await recoverUndos(services, { once: true })
      const interrupted = abortInterrupted(services)
      sweepAfterCrash(services)
      return { undos, interrupted }
    },
    async boot() {
      const results: RunResult[] = []
      for (const resolved of config.plans) {
        if (!resolved.participants.some(({ hooks }) => hooks.installDependencies)) continue
        const run = newRun(resolved.name, { trigger: 'boot' }, 1)
        const outcome = await track(executeRun(services, { run, plan: resolved }))
        results.push({ run, outcome })
        if (outcome.status !== 'succeeded') return { results, ok: false }
      }
      return { results, ok: true }
    },
    async finishRecovery() {
      const undos = await recoverUndos(services, { once: false })
      await observeInterrupted(services)
      sweepAfterCrash(services)
      return undos
    },
    runUndos: ({ only, force }) => recoverUndos(services, { once: false, only, force }),
    async run(name, request = {}) {
      plan(name)
      const owner = `process ${self.pid} on ${self.host}`
      const lock = locks.tryAcquire(`plan-${name}`, owner)
      if (!lock) {
        const cause = errors.LOCK_BUSY({ lock: `plan-${name}`, owner: locks.ownerOf(`plan-${name}`) })
        return skip(newRun(name, request, 1), Object.assign(new Error(cause.message), { cause }), 'busy')
      }
      try {
        // What an earlier run of ours could not give back gets another chance before anything is taken again.
        const left = journal.pendingUndos().filter((undo) => undo.plan === name && undo.process === self.id)
        if (left.length > 0) await recoverUndos(services, { once: true, only: left.map(({ id }) => id) })
        return await track(runLocked(name, request))
      } finally {
        lock.release()
      }
    },
    recordSkip(name, scheduledFor, reason) {
      const run: Run = { ...newRun(name, { scheduledFor, trigger: 'schedule' }, 1) }
      journal.beginRun(run, config.instance, self.id)
      journal.endRun(run.id, { status: 'skipped', reason })
      services.emit({
        type: 'run-ended',
        run,
        outcome: { status: 'skipped', reason, targets: [], warnings: [] },
        status: 'skipped',
        durationMs: 0,
      })
    },
    async shutdown(graceMs) {
      if (requested.signal.aborted) {
        hurried.abort(errors.RUN_ABORTED({ reason: 'told to stop twice' }))
      } else {
        requested.abort(errors.RUN_ABORTED({ reason: 'told to stop' }))
        const cancel = clock.setTimer(graceMs, () =>
          expired.abort(errors.RUN_ABORTED({ reason: 'the shutdown grace is used up' })),
        )
        await Promise.allSettled(running)
        cancel()
        return
      }
      await Promise.allSettled(running)
    },
    close() {
      locks.releaseAll()
      journal.close()
    },
  }
}

function controller(): AbortController {
  const made = new AbortController()
  setMaxListeners(0, made.signal)
  return made
}
