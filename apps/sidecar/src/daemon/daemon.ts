// The daemon: runs plans on their schedules, keeps its configuration current, and stops in order.
import type { HoldfastFailure } from '@holdfast/sdk'
import {
  createScheduler,
  watchConfig,
  type FireSlot,
  type LoadedConfig,
  type MissedSlot,
  type ResolvedConfig,
  type Scheduler,
} from '@holdfast/runtime'
import { isScheduled } from '../commands/schedule.ts'
import { loadQuietly } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode, exitCodeOfSignal } from '../exit-codes.ts'
import type { Signal } from '../io.ts'
import { openEngine, startEngine } from '../session.ts'
import { version } from '../version.ts'
import { keepHouse } from './housekeeping.ts'
import { createDaemonMetrics } from './metrics.ts'
import { createStatus, reasonFrom, type PlanStatus } from './status.ts'
import { createValidation } from './validation.ts'

/** Runs until it is told to stop. @returns the exit code */
export async function runDaemon(context: CommandContext, loaded: LoadedConfig): Promise<number> {
  const { io, settings, log } = context
  const { clock } = io
  const session = openEngine(context, loaded)
  const { engine } = session
  const { journal } = engine
  const metrics = createDaemonMetrics(session.metrics, engine)
  const stop = Promise.withResolvers<void>()
  const running = new Map<string, number>()
  let scheduler: Scheduler | undefined
  let waiting: LoadedConfig | undefined
  let stoppedBy: Signal | undefined
  let shutdown: Promise<void> | undefined
  let aborted = false
  let faulted = false

  const status = createStatus({ version, stateDirectory: settings.stateDirectory, clock, log, plans: planStatus })
  const validation = createValidation({ engine, clock, log, report: (reasons) => status.set('plans', reasons) })

  function planStatus(): readonly PlanStatus[] {
    return engine.config().plans.map(({ name, schedule }) => ({
      name,
      cron: schedule?.cron,
      next: scheduler?.next(name),
      running: running.has(name),
      lastSuccess: metrics.lastSuccess(name),
    }))
  }

  async function fire({ plan, scheduledFor, trigger, signal }: FireSlot): Promise<void> {
    running.set(plan, (running.get(plan) ?? 0) + 1)
    status.changed()
    try {
      const { outcome } = await engine.run(plan, { trigger, scheduledFor, signal })
      if (outcome.status === 'succeeded') metrics.succeeded(plan, clock.now())
      if (outcome.status === 'aborted' && stoppedBy !== undefined) aborted = true
      if (outcome.status === 'failed') validation.again(plan)
    } finally {
      running.delete(plan)
      status.changed()
      takeOver()
    }
  }

  function missed({ plan, scheduledFor, reason, count }: MissedSlot): void {
    log.warn(`plan "${plan}" did not run: ${reason}${count > 1 ? `, ${count} slots` : ''}`, {
      plan,
      reason,
      count,
      scheduledFor,
    })
    metrics.missed(plan, reason, count)
    engine.recordSkip(plan, scheduledFor, reason)
  }

  /** A changed configuration comes into force between runs: a run never sees two of them. */
  function takeOver(): void {
    if (!waiting || stoppedBy !== undefined) return
    if (running.size > 0) return status.configured(engine.config().source, true)
    const { config } = waiting
    waiting = undefined
    const before = engine.config()
    engine.reconfigure(config)
    scheduler?.update(config.plans.filter(isScheduled))
    metrics.configured(config, before)
    checkSchedules(config)
    status.configured(config.source, false)
    void validation.start()
    log.info('the changed configuration is in force', { source: config.source, plans: config.plans.length })
  }

  function adopt(next: LoadedConfig): void {
    for (const warning of next.warnings) context.warn(warning)
    waiting = next
    status.set('configuration', [])
    metrics.valid(true)
    if (running.size > 0) log.info('the configuration has changed; it comes into force when nothing runs')
    takeOver()
  }

  function refuse(error: HoldfastFailure): void {
    log.error(`the changed configuration can't be used: ${error.message}`, { error })
    status.set('configuration', [reasonFrom(error)])
    metrics.valid(false)
  }

  function checkSchedules({ plans, source }: ResolvedConfig): void {
    const reasons = plans.some(isScheduled) ? [] : [reasonFrom(errors.PLANS_UNSCHEDULED({ source }))]
    status.set('schedule', reasons)
  }

  const watch = watchConfig({
    files: loaded.files,
    fingerprint: loaded.fingerprint,
    clock,
    load: () => loadQuietly(context),
    onChange: adopt,
    onInvalid: refuse,
    log,
  })

  /** Variables can't change, but what they point at can: directories of scripts. */
  async function reload(): Promise<void> {
    if (loaded.files.length > 0) return watch.reload()
    await loadQuietly(context).then(adopt, (error: unknown) => refuse(error as HoldfastFailure))
  }

  const closeSignals = io.onSignal((signal) => {
    if (signal === 'SIGHUP') {
      log.info('SIGHUP: reading the configuration again')
      void reload()
      return
    }
    log.info(
      stoppedBy === undefined ? `${signal}: stopping` : `${signal} again: hooks get no more time, undos still do`,
    )
    stoppedBy ??= signal
    status.set('daemon', [reasonFrom(errors.DAEMON_STOPPING({}))])
    watch.stop()
    shutDown()
    stop.resolve()
  })
  const closeFaults = io.onFault(({ kind, error }) => {
    const from = kind === 'rejection' ? 'a promise was rejected and nobody looked' : 'an error came out of nowhere'
    log.error(`${from}; probably in a hook or plugin`, { error })
    if (kind === 'rejection') return
    // Nobody knows what is broken now: give back what was taken, and let a new process begin.
    faulted = true
    shutDown()
    stop.resolve()
  })

  /** The first time it aborts what runs; after that it hurries. */
  function shutDown(): void {
    const settled = engine.shutdown(settings.shutdownGraceMs)
    shutdown ??= settled
  }

  try {
    status.set('daemon', [reasonFrom(errors.DAEMON_STARTING({}))])
    status.configured(loaded.config.source, false)
    const started = await startEngine(session, context)
    if (started.failed) return stoppedBy === undefined ? exitCode.failed : exitCodeOfSignal(stoppedBy)
    metrics.valid(true)
    checkSchedules(loaded.config)
    await validation.start()
    scheduler = createScheduler({
      clock,
      plans: engine.config().plans.filter(isScheduled),
      lastScheduled: (plan) => journal.lastScheduled(plan),
      fire,
      missed,
      log,
    })
    if (stoppedBy === undefined) {
      scheduler.start()
      status.set('daemon', [])
      log.info('scheduling', { plans: engine.config().plans.length, source: engine.config().source })
    }
    metrics.configured(loaded.config)
    const stopHousekeeping = keepHouse(engine, clock, log)
    takeOver()
    await stop.promise
    stopHousekeeping()
    await Promise.all([scheduler.stop(), shutdown])
    if (faulted) return exitCode.failed
    return aborted ? exitCodeOfSignal(stoppedBy) : exitCode.ok
  } finally {
    watch.stop()
    validation.stop()
    closeSignals()
    closeFaults()
    status.close()
    engine.close()
  }
}
