import type { Exec, Kubernetes, Logger } from '@holdfast/sdk'
import { createConfiguredStores } from './artifacts/configured-stores.ts'
import type { ArtifactStore } from './artifacts/store.ts'
import { systemClock, type RuntimeClock } from './clock.ts'
import type { DrillResult } from './drill/execute-drill.ts'
import { newDrillRun, runDrill, type DrillRequest } from './drill/run-drill.ts'
import { errors } from './errors.ts'
import { createExec } from './exec/create-exec.ts'
import type { ExecOutput } from './exec/output.ts'
import { isStateDurable, reportDurability, warnNotDurable } from './journal/durability.ts'
import { createEndedProcesses } from './journal/ended-processes.ts'
import type { Journal } from './journal/journal.ts'
import { openLocks, type Locks } from './journal/locks.ts'
import { openJournal } from './journal/open-journal.ts'
import { withoutCluster } from './journal/owners.ts'
import { reportPendingUndos } from './journal/pending-undos.ts'
import { enterProcess, lockDirectoryOf } from './journal/process.ts'
import type { ProcessRecord } from './journal/records.ts'
import type { Inheritance } from './journal/recover-all.ts'
import { createRecoveries } from './journal/recoveries.ts'
import type { Recovery } from './journal/recovery.ts'
import type { UndoMirror } from './journal/undo-mirror.ts'
import type { Cluster } from './kubernetes/cluster.ts'
import { openUndoMirror } from './kubernetes/open-undo-mirror.ts'
import { knownIdentity } from './kubernetes/own-identity.ts'
import { createOwners } from './kubernetes/owners.ts'
import { bootPlans } from './lifecycle/boot.ts'
import type { RunEventListener } from './lifecycle/events.ts'
import { dryRunPlan, newPlanRun, runPlan, type RunRequest, type RunResult } from './lifecycle/run-plan.ts'
import { createShutdown } from './lifecycle/shutdown.ts'
import { skipRun } from './lifecycle/skip-run.ts'
import type { ResolvedConfig, ResolvedDrill, ResolvedPlan } from './load/resolved.ts'
import { createNotifications, type Notifications } from './notify/notifications.ts'
import { createSecrets } from './secrets.ts'
import type { Services } from './services.ts'
import { announceConfig } from './telemetry/announce-config.ts'
import type { RuntimeLogger } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { recordEvents } from './telemetry/record-events.ts'
import type { Redactor } from './telemetry/redaction.ts'
import { tell } from './telemetry/tell.ts'

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
  let configInForce = options.config
  const config = (): ResolvedConfig => configInForce
  const journal = openJournal({
    directory: stateDirectory,
    now: () => clock.now(),
    onCorrupt: (error) => {
      log.error(error.message, { error })
      metrics
        .counter('holdfast_state_store_errors_total', 'Failures of the state directory', ['op'])
        .add(1, { op: 'corrupt' })
    },
    orReadOnly: {
      begins(error) {
        log.error(error.message, { error })
        metrics
          .counter('holdfast_state_store_errors_total', 'Failures of the state directory', ['op'])
          .add(1, { op: 'write' })
      },
      ends: () => log.warn('the journal can be written again: what was given back meanwhile is on record'),
    },
    observe: options.observeJournal,
    redact: (text) => redactor.text(text),
  })
  const locks = openLocks(lockDirectoryOf(stateDirectory), clock)
  const self = enterProcess({ journal, locks, clock, known: { ...knownIdentity(cluster), ...options.process } })
  const ended = createEndedProcesses({ journal, locks, self })
  const owners = cluster ? createOwners({ kubernetes: cluster, log }) : withoutCluster()
  const onDurableState = isStateDurable(stateDirectory)
  const openMirror = (): UndoMirror | undefined => {
    if (!cluster || !config().undoMirror) return undefined
    return openUndoMirror({
      cluster,
      journal,
      locks,
      clock,
      log,
      owners,
      self,
      ended,
      instance: () => config().instance,
      isStateDurable: onDurableState,
      exposes: (text) => redactor.exposes(text),
      onAccess(isGranted) {
        reportDurability(metrics, isGranted || onDurableState)
        if (!isGranted && !onDurableState) warnNotDurable(log, stateDirectory)
      },
    })
  }
  const secrets = createSecrets({ redactor, env })
  const shutdown = createShutdown(clock)
  const storeOf = createConfiguredStores({ stateDirectory, clock, log, secrets, meter: metrics })
  const listeners = recordEvents({
    metrics,
    clock,
    journal,
    process: self.id,
    config,
    isRecovered: () => recoveries.isDone(),
  })

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
      for (const listener of listeners) tell(log, () => listener(event))
      if (event.type === 'undo-settled') tell(log, () => reportPendingUndos(services, [event.undo]))
      tell(log, () => notifications.listen(event))
      tell(log, () => options.events?.(event))
    },
    heldUndos: new Set(),
    strayUndos: new Map(),
    execFor:
      options.exec ??
      ((call) =>
        createExec({ clock, redactor, output, env, cluster, meter: metrics, signal: call.signal, log: call.log })),
    config,
    store: () => storeOf(config()),
    shutdown: shutdown.signals,
  }
  const notifications = createNotifications({ services, redactor })
  const recoveries = createRecoveries({ services, notifications, ended })

  reportDurability(metrics, onDurableState || options.undoMirror !== undefined)
  if (!services.undoMirror && !onDurableState) warnNotDurable(log, stateDirectory)
  announceConfig({ services, metrics, notifications })

  /** A run sees one configuration from its beginning to its end. */
  const pinned = (): Services => {
    const inForce = config()
    return { ...services, config: () => inForce, store: () => storeOf(inForce) }
  }

  const planNamed = (name: string): ResolvedPlan => {
    const { plans } = config()
    const found = plans.find((each) => each.name === name)
    if (found) return found
    throw errors.PLAN_UNKNOWN({ plan: name, known: plans.map((each) => each.name).join(', ') || 'none' })
  }

  const drillNamed = (name: string): ResolvedDrill => {
    const { drills } = config()
    const found = drills.find((each) => each.name === name)
    if (found) return found
    throw errors.DRILL_UNKNOWN({ drill: name, known: drills.map((each) => each.name).join(', ') || 'none' })
  }

  const running = new Set<Promise<unknown>>()
  /** A shutdown waits for it. */
  const track = async <T>(work: Promise<T>): Promise<T> => {
    running.add(work)
    try {
      return await work
    } finally {
      running.delete(work)
    }
  }

  /** Told once it has ended for good: attempts that are followed by others are nobody's news. */
  const tellEnd = async <T extends RunResult>(work: Promise<T>): Promise<T> => {
    const result = await work
    tell(log, () => notifications.ended(result))
    tell(log, () => notifications.lookForUndos())
    return result
  }

  return {
    services,
    journal,
    locks,
    notifications,
    store: services.store,
    config,
    reconfigure(next) {
      configInForce = next
    },
    plan: planNamed,
    recover: () => track(recoveries.recover()),
    hasEnded: (process) => ended.has(process),
    takeOver: (former) => track(recoveries.takeOver(former)),
    recoverOrphans: () => track(recoveries.recoverOrphans()),
    boot: () => bootPlans(pinned(), (run) => track(tellEnd(run))),
    finishRecovery: () => track(recoveries.finish()),
    runUndos: (which) => track(recoveries.runUndos(which)),
    async run(name, request = {}) {
      const of = { services: pinned(), plan: planNamed(name), request }
      return track(request.dryRun ? dryRunPlan(of) : tellEnd(runPlan(of)))
    },
    recordSkip(name, scheduledFor, reason) {
      const run = newPlanRun(services, name, { scheduledFor, trigger: 'schedule' })
      skipRun(services, run, { reason, forget: () => journal.forgetRunsOf(name) })
    },
    async drill(name, request = {}) {
      return track(tellEnd(runDrill({ services: pinned(), drill: drillNamed(name), request })))
    },
    recordDrillSkip(name, scheduledFor, reason) {
      const run = newDrillRun(services, drillNamed(name), scheduledFor)
      skipRun(services, run, { reason, forget: () => journal.forgetRunsOfDrill(name) })
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
