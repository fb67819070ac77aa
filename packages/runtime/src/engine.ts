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
import { drillId, drillOfId } from './drill/drill-name.ts'
import { executeDrill, type DrillResult, type ExecuteDrillOptions } from './drill/execute-drill.ts'
import { errors } from './errors.ts'
import { reasonOf, recordFailure } from './failure.ts'
import type { Journal } from './journal/journal.ts'
import { openJournal } from './journal/open-journal.ts'
import { openLocks, type HeldLock, type Locks } from './journal/locks.ts'
import { isStateDurable } from './journal/durability.ts'
import { adoptOrphans, nothing } from './journal/adopt.ts'
import { withoutCluster } from './journal/owners.ts'
import { enterProcess, livenessOf, lockDirectoryOf } from './journal/process.ts'
import { recoverAll, recoverOrphans, takeOver, withPatience, type Inheritance } from './journal/recover-all.ts'
import type { ProcessRecord, UndoRecord } from './journal/records.ts'
import {
  observeInterrupted,
  recoverUndos,
  reportPendingUndos,
  sweepAfterCrash,
  type Recovery,
} from './journal/recovery.ts'
import { quietly } from './journal/quietly.ts'
import type { UndoMirror } from './journal/undo-mirror.ts'
import type { RunEventListener } from './lifecycle/events.ts'
import { executeRun, stateUnwritable } from './lifecycle/execute.ts'
import { behindReason } from './lifecycle/outcome.ts'
import { newRunId } from './lifecycle/run-id.ts'
import { createShutdown } from './lifecycle/shutdown.ts'
import { linkSignals } from './lifecycle/signals.ts'
import type { Cluster } from './kubernetes/cluster.ts'
import { createIdentifier, knownIdentity } from './kubernetes/own-identity.ts'
import { createOwners } from './kubernetes/owners.ts'
import { createUndoMirror } from './kubernetes/undo-mirror.ts'
import type { ResolvedConfig, ResolvedDrill, ResolvedPlan } from './load/resolved.ts'
import { createExec } from './exec/create-exec.ts'
import type { ExecOutput } from './exec/output.ts'
import { createNotifications, type Notifications } from './notify/notifications.ts'
import { createSecrets } from './secrets.ts'
import type { Services } from './services.ts'
import type { RuntimeLogger } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'
import type { Redactor } from './telemetry/redaction.ts'
import { recordDrills } from './telemetry/drill-metrics.ts'
import { recordCopies } from './telemetry/copy-metrics.ts'
import { forgetGone } from './telemetry/forget-gone.ts'
import { recordPlans } from './telemetry/plan-metrics.ts'
import { announcePlans, recordMetrics, undosOf } from './telemetry/run-metrics.ts'
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
  /** The cluster that we belong to: API, commands in containers, events. */
  readonly cluster?: Cluster | undefined
  /** In place of the cluster's API; for tests. */
  readonly kubernetes?: Kubernetes | undefined
  /** In place of the cluster's ConfigMaps; for tests. */
  readonly undoMirror?: UndoMirror | undefined
  /** What this process is known by, in place of what the system says; for tests. */
  readonly process?: Partial<ProcessRecord> | undefined
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
  /** Hears of each attempt before it begins. */
  readonly begins?: ((run: Run) => void) | undefined
}

/** How to run a drill. */
export type DrillRequest = Pick<ExecuteDrillOptions, 'scheduledFor' | 'signal'>

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
  /** Tells people how runs went. Close it before the engine, or what waits is not told. */
  readonly notifications: Notifications
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
  /** Whether a process has certainly ended: one that used this state directory, and whose lock is free. */
  hasEnded(process: string): boolean
  /** Recovers, too, what a process that led before has taken: it counts as gone, whatever its pod does. */
  takeOver(former: Inheritance): Promise<Recovery>
  /**
   * Looks whether other pods have died since the last look, and gives back what they have taken: to be called now and
   * then by a process that stays.
   */
  recoverOrphans(): Promise<Recovery>
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
   * Runs a drill. Never rejects for one that failed: the outcome says it.
   *
   * @throws HoldfastError `DRILL_UNKNOWN`
   */
  drill(name: string, request?: DrillRequest): Promise<DrillResult>
  /** Records a slot of a drill that was not run. */
  recordDrillSkip(drill: string, scheduledFor: Date, reason: string): void
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
  const { stateDirectory, log, redactor, metrics, output, cluster, clock = systemClock, env = process.env } = options
  let config = options.config
  let isRecovered = false
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
  const known = { ...knownIdentity(cluster), ...options.process }
  const self = enterProcess({ journal, locks, clock, known })
  const onDurableState = isStateDurable(stateDirectory)
  const sayDurable = (durable: boolean): void => {
    const gauge = metrics.gauge('holdfast_state_durable', 'Whether armed undos survive a restart of the container')
    gauge.set(durable ? 1 : 0)
  }
  const tellNotDurable = (): void => {
    if (onDurableState) return
    const error = errors.STATE_NOT_DURABLE({ path: stateDirectory })
    log.warn(error.message, { error })
  }
  const secrets = createSecrets({ redactor, env })
  const shutdown = createShutdown(clock)
  const { requested } = shutdown.signals
  const stores = new WeakMap<ResolvedConfig, ArtifactStore>()
  const storeOf = (of: ResolvedConfig): ArtifactStore => {
    const made = stores.get(of) ?? openStore(of)
    stores.set(of, made)
    return made
  }
  const openStore = ({ storage, instance, plans }: ResolvedConfig): ArtifactStore => {
    const identities = plans.flatMap(({ encoding }) => encoding.identity ?? [])
    return createArtifactStore({
      driver: storage ?? fsStorage({ path: join(stateDirectory, 'artifacts') }),
      instance,
      clock,
      log,
      secrets,
      identities: () => identities,
      meter: metrics,
    })
  }
  const countEvents = recordMetrics(metrics)
  const recordDrillStates = recordDrills({
    metrics,
    clock,
    drills: () => config.drills,
    isRecovered: () => isRecovered,
    history: (drill) => journal.lastRuns({ drill }),
  })
  const recordStates = recordPlans({
    metrics,
    clock,
    plans: () => config.plans,
    isRecovered: () => isRecovered,
    history: (plan) => journal.lastRuns({ plan }),
  })
  const recordCopyStates = recordCopies({ metrics, clock, plans: () => config.plans })
  /** Processes that used this state directory, and are forgotten. */
  const ended = new Set<string>()
  const hasEnded = (process: string): boolean => {
    if (ended.has(process)) return true
    const record = journal.process(process)
    return record !== undefined && record.boot === self.boot && livenessOf(record, self, locks) === 'gone'
  }
  const owners = cluster ? createOwners({ kubernetes: cluster, log }) : withoutCluster()
  const openMirror = (): UndoMirror | undefined => {
    if (!cluster || !config.undoMirror) return undefined
    const identify = createIdentifier({
      cluster,
      log,
      current: () => services.process,
      update(identity) {
        Object.assign(services.process, identity)
        journal.addProcess(services.process)
      },
    })
    return createUndoMirror({
      kubernetes: cluster.kubernetes,
      clock,
      log,
      owners,
      instance: () => config.instance,
      self: () => services.process,
      hasEnded(process) {
        // By the same signs by which its undos in our journal are taken for ours.
        const record = journal.process(process)
        return hasEnded(process) || (record !== undefined && livenessOf(record, self, locks, owners) === 'gone')
      },
      identify,
      keeps: cluster.pod !== undefined,
      isStateDurable: onDurableState,
      exposes: (text) => redactor.exposes(text),
      onAccess(isGranted) {
        sayDurable(isGranted || onDurableState)
        if (!isGranted) tellNotDurable()
      },
    })
  }
  const tried = new Set<string>()
  const running = new Set<Promise<unknown>>()
  /** Monitoring that fails never fails a backup. */
  const tell = (listener: () => void): void => {
    try {
      listener()
    } catch (error) {
      log.error(`metrics or an event could not be handled: ${reasonOf(error)}`, { error })
    }
  }

  const services: Services = {
    clock,
    log,
    meter: metrics,
    secrets,
    locks,
    journal,
    process: self,
    stateDirectory,
    kubernetes: options.kubernetes ?? cluster?.kubernetes,
    undoMirror: options.undoMirror ?? openMirror(),
    owners,
    emit(event) {
      tell(() => countEvents(event))
      tell(() => recordStates(event))
      tell(() => recordCopyStates(event))
      tell(() => recordDrillStates(event))
      if (event.type === 'undo-settled') tell(() => reportPendingUndos(services, [event.undo]))
      tell(() => notifications.listen(event))
      tell(() => options.events?.(event))
    },
    heldUndos: new Set(),
    strayUndos: new Map(),
    execFor:
      options.exec ??
      ((call) =>
        createExec({ clock, redactor, output, env, cluster, meter: metrics, signal: call.signal, log: call.log })),
    config: () => config,
    store: () => storeOf(config),
    shutdown: shutdown.signals,
  }

  const notifications = createNotifications({ services, redactor })
  /** Once it has ended for good: attempts that are followed by others are nobody's news. */
  const tellEnd = async <T extends RunResult>(work: Promise<T>): Promise<T> => {
    const result = await work
    tell(() => notifications.ended(result))
    tell(() => notifications.lookForUndos())
    return result
  }

  sayDurable(onDurableState || options.undoMirror !== undefined)
  if (!services.undoMirror) tellNotDurable()

  // With a thousand plans it takes a while, and nobody needs it before metrics are read.
  let announced: ResolvedConfig | undefined
  metrics.beforeRead(() => {
    const isNew = announced !== config
    if (isNew && announced) forgetGone(metrics, announced, config)
    announced = config
    if (isNew) announcePlans(metrics, config.plans, config.drills)
    if (isNew) notifications.announce()
    // Every time: another process, or a person, may have given it back.
    tell(() => reportPendingUndos(services, isNew ? undosOf(config.plans, config.drills) : []))
  })

  /** A run sees one configuration from its beginning to its end. */
  const pinned = (): Services => {
    const inForce = config
    return { ...services, config: () => inForce, store: () => storeOf(inForce) }
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

  const skip = (run: Run, cause: Error, reason: string): RunResult => {
    const { plan: of, drill } = run
    const failure =
      drill === undefined
        ? errors.PLAN_BUSY({ plan: of }, { cause, run: run.id })
        : errors.DRILL_BUSY({ drill }, { cause, run: run.id })
    quietly(services, () => {
      journal.beginRun(run, config.instance, self.id)
      journal.endRun(run.id, { status: 'skipped', reason, error: recordFailure(failure) })
    })
    const outcome: Outcome = { status: 'skipped', reason, targets: [], error: failure, warnings: [] }
    services.emit({ type: 'run-ended', run, outcome, status: 'skipped', durationMs: 0 })
    return { run, outcome }
  }

  const runAttempts = async (name: string, request: RunRequest): Promise<RunResult> => {
    const resolved = plan(name)
    const { attempts, backoffMs } = resolved.retry
    const stop = linkSignals([requested, ...(request.signal ? [request.signal] : [])])
    const scoped = pinned()
    try {
      for (let attempt = 1; ; attempt++) {
        await giveBackLeftovers((undo) => undo.plan === name && drillOfId(undo.participant) === undefined)
        const run = newRun(name, request, attempt)
        request.begins?.(run)
        const outcome = await executeRun(scoped, { run, plan: resolved, only: request.only, signal: request.signal })
        // What only a copy lacks is not worth standing still for once more: the next run copies it.
        const isBehind = outcome.reason === behindReason
        const again = attempt < attempts && ['failed', 'partial'].includes(outcome.status) && !isBehind
        if (!again || stop.signal.aborted) return { run, outcome }
        log.info(`plan "${name}" is tried again in ${formatDuration(backoffMs)}`, { plan: name, run: run.id })
        await clock.sleep(backoffMs, stop.signal).catch(() => {})
        if (stop.signal.aborted) return { run, outcome }
      }
    } finally {
      stop.close()
    }
  }

  const drillNamed = (name: string): ResolvedDrill => {
    const found = config.drills.find((each) => each.name === name)
    if (found) return found
    throw errors.DRILL_UNKNOWN({ drill: name, known: config.drills.map((each) => each.name).join(', ') || 'none' })
  }

  const newDrillRun = ({ name, plan: { name: of } }: ResolvedDrill, scheduledFor = clock.now()): Run => {
    const id = newRunId(clock.now())
    return { id, plan: of, drill: name, attempt: 1, scheduledFor, trigger: 'drill', dryRun: false }
  }

  /** Only one of the same name at once; beside runs of its plan, which it must not keep from making a backup. */
  const drillAlone = async (drill: ResolvedDrill, request: DrillRequest): Promise<DrillResult> => {
    const { name } = drill
    let lock: HeldLock | undefined
    try {
      lock = locks.tryAcquire(`drill-${name}`, `process ${self.pid} on ${self.host}`)
    } catch (cause) {
      const path = lockDirectoryOf(stateDirectory)
      const refused = errors.STATE_UNWRITABLE({ path, reason: reasonOf(cause) }, { cause })
      return executeDrill(pinned(), { ...request, drill, refused })
    }
    if (!lock) {
      const cause = errors.LOCK_BUSY({ lock: `drill-${name}`, owner: locks.ownerOf(`drill-${name}`) })
      return { ...skip(newDrillRun(drill, request.scheduledFor), cause, 'busy'), restored: [] }
    }
    try {
      await giveBackLeftovers((undo) => undo.participant === drillId(name))
      const result = await executeDrill(pinned(), { ...request, drill })
      if (!requested.aborted) await services.undoMirror?.removeLeft()
      return result
    } finally {
      quietly(services, () => journal.forgetRunsOfDrill(name))
      lock.release()
    }
  }

  /** What an earlier run of ours could not give back gets another chance before anything is taken again. */
  const giveBackLeftovers = async (isOf: (undo: UndoRecord) => boolean): Promise<void> => {
    try {
      const left = journal.pendingUndos().filter((undo) => isOf(undo) && undo.process === self.id)
      if (left.length > 0) await recoverUndos(services, { once: true, only: left.map(({ id }) => id) })
    } catch (error) {
      log.error(`pending undos could not be looked up: ${reasonOf(error)}`, { error })
    }
  }

  const runAlone = async (name: string, request: RunRequest): Promise<RunResult> => {
    let lock: HeldLock | undefined
    try {
      lock = locks.tryAcquire(`plan-${name}`, `process ${self.pid} on ${self.host}`)
    } catch (cause) {
      const run = newRun(name, request, 1)
      const refused = stateUnwritable(lockDirectoryOf(stateDirectory), cause, run)
      return { run, outcome: await executeRun(pinned(), { run, plan: plan(name), refused }) }
    }
    if (!lock) {
      const cause = errors.LOCK_BUSY({ lock: `plan-${name}`, owner: locks.ownerOf(`plan-${name}`) })
      return skip(newRun(name, request, 1), cause, 'busy')
    }
    try {
      const result = await runAttempts(name, request)
      if (!requested.aborted) await services.undoMirror?.removeLeft()
      return result
    } finally {
      quietly(services, () => journal.forgetRunsOf(name))
      lock.release()
    }
  }

  /** A dry run only looks: no lock, so that no backup is skipped for its sake. */
  const dryRun = async (name: string, request: RunRequest): Promise<RunResult> => {
    const run = newRun(name, request, 1)
    const { only, signal } = request
    return { run, outcome: await executeRun(pinned(), { run, plan: plan(name), only, signal }) }
  }

  const track = async <T>(work: Promise<T>): Promise<T> => {
    running.add(work)
    try {
      return await work
    } finally {
      running.delete(work)
    }
  }

  const sweep = (): void => {
    for (const process of sweepAfterCrash(services)) ended.add(process)
  }

  const recovered = async (work: Promise<Recovery>): Promise<Recovery> => {
    const recovery = await work
    for (const { undo, result } of recovery.undos) if (result === 'failed') tried.add(undo.id)
    isRecovered = true
    sweep()
    // Whoever called the observers has told it, too, before it was gone.
    const due = new Set(journal.openRuns().flatMap(({ id, observersDue }) => (observersDue ? [id] : [])))
    tell(() => notifications.interrupted(recovery.interrupted.filter(({ id }) => due.has(id))))
    return recovery
  }

  return {
    services,
    journal,
    locks,
    notifications,
    store: services.store,
    config: services.config,
    reconfigure(next) {
      config = next
    },
    plan,
    recover: () => track(recovered(recoverAll(services))),
    hasEnded,
    takeOver: (former) => track(recovered(takeOver(services, former))),
    async recoverOrphans() {
      const recovery = await track(recoverOrphans(services, tried))
      tell(() => notifications.interrupted(recovery.interrupted))
      tell(() => notifications.lookForUndos())
      return recovery
    },
    async boot() {
      const results: RunResult[] = []
      const scoped = pinned()
      for (const resolved of config.plans) {
        if (!resolved.participants.some(({ hooks }) => hooks.installDependencies)) continue
        const run = newRun(resolved.name, { trigger: 'boot' }, 1)
        const end = executeRun(scoped, { run, plan: resolved }).then((outcome) => ({ run, outcome }))
        const { outcome } = await track(tellEnd(end))
        results.push({ run, outcome })
        if (outcome.status !== 'succeeded') return { results, ok: false }
      }
      return { results, ok: true }
    },
    finishRecovery: () =>
      track(
        (async () => {
          const undos = await recoverUndos(services, { once: false })
          if (!requested.aborted) await observeInterrupted(services)
          sweep()
          tell(() => notifications.lookForUndos())
          return undos
        })(),
      ),
    runUndos: ({ only, force }) =>
      track(
        (async () => {
          // What is in our journal needs no API server, which may be what is broken.
          const isOwn = only?.every((id) => journal.undo(id) !== undefined) ?? false
          const prepared = services.undoMirror?.prepare({ insists: true })
          if (prepared) await (isOwn ? withPatience(clock, prepared) : prepared)
          const { alive, unknown } = isOwn ? nothing : await adoptOrphans(services, { only, force })
          const run = await recoverUndos(services, { once: false, only, force })
          tell(() => notifications.lookForUndos())
          return [
            ...run,
            ...alive.map((undo) => ({ undo, result: 'alive' as const })),
            ...unknown.map((undo) => ({ undo, result: 'unknown' as const })),
          ]
        })(),
      ),
    async run(name, request = {}) {
      plan(name)
      return track(request.dryRun ? dryRun(name, request) : tellEnd(runAlone(name, request)))
    },
    recordSkip(name, scheduledFor, reason) {
      const run: Run = { ...newRun(name, { scheduledFor, trigger: 'schedule' }, 1) }
      quietly(services, () => {
        journal.beginRun(run, config.instance, self.id)
        journal.endRun(run.id, { status: 'skipped', reason })
        journal.forgetRunsOf(name)
      })
      services.emit({
        type: 'run-ended',
        run,
        outcome: { status: 'skipped', reason, targets: [], warnings: [] },
        status: 'skipped',
        durationMs: 0,
      })
    },
    async drill(name, request = {}) {
      return track(tellEnd(drillAlone(drillNamed(name), request)))
    },
    recordDrillSkip(name, scheduledFor, reason) {
      const run = newDrillRun(drillNamed(name), scheduledFor)
      quietly(services, () => {
        journal.beginRun(run, config.instance, self.id)
        journal.endRun(run.id, { status: 'skipped', reason })
        journal.forgetRunsOfDrill(name)
      })
      const outcome: Outcome = { status: 'skipped', reason, targets: [], warnings: [] }
      services.emit({ type: 'run-ended', run, outcome, status: 'skipped', durationMs: 0 })
    },
    async shutdown(graceMs) {
      shutdown.begin(graceMs)
      while (running.size > 0) await Promise.allSettled(running)
    },
    close() {
      shutdown.close()
      locks.releaseAll()
      journal.close()
      cluster?.close()
    },
  }
}
