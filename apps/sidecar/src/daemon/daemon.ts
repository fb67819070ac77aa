// The daemon: runs plans on their schedules, keeps its configuration current, and stops in order.
import { createScheduler, type FireSlot, type LoadedConfig, type MissedSlot, type Scheduler } from '@holdfast/runtime'
import { isScheduled } from '../commands/schedule.ts'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode, exitCodeOfSignal } from '../exit-codes.ts'
import { serveHttp } from '../http/http.ts'
import { openEngine, startEngine } from '../session.ts'
import { version } from '../version.ts'
import { keepConfiguration } from './configuration-keeper.ts'
import { keepHouse } from './housekeeping.ts'
import { createDaemonMetrics } from './metrics.ts'
import { watchPermissions } from './permission-watch.ts'
import { createStatus, reasonFrom, type PlanStatus } from './status.ts'
import { listenForStop } from './stopping.ts'
import { createValidation } from './validation.ts'

const waitMs = 1000

/** Runs until it is told to stop. @returns the exit code */
export async function runDaemon(context: CommandContext, loaded: LoadedConfig): Promise<number> {
  const { io, settings, log } = context
  const { clock } = io
  const { stateDirectory } = settings
  const session = await openEngine(context, loaded)
  const { engine } = session
  const metrics = createDaemonMetrics({
    metrics: session.metrics,
    engine,
    clock,
    next: (plan) => scheduler?.next(plan),
  })
  const running = new Set<string>()
  let scheduler: Scheduler | undefined
  let aborted = false
  /** No other daemon uses this state directory. */
  let hasTurn = false

  const status = createStatus({ version, stateDirectory, clock, log, plans: planStatus, isWritten: () => hasTurn })
  const http = serveHttp({ context, status, metrics: session.metrics })
  const validation = createValidation({ engine, clock, log, report: (reasons) => status.set('plans', reasons) })
  const permissions = watchPermissions({
    cluster: session.cluster,
    clock,
    log,
    config: () => engine.config(),
    report: (reasons) => status.set('permissions', reasons),
  })
  const configuration = keepConfiguration({
    context,
    loaded,
    isIdle: () => running.size === 0 && scheduler !== undefined,
    apply,
    waits: (isWaiting) => status.configured(engine.config().source, isWaiting),
    refused(error) {
      status.set('configuration', error ? [reasonFrom(error)] : [])
      metrics.valid(error === undefined)
    },
  })
  const stopping = listenForStop({
    io,
    engine,
    log,
    graceMs: settings.shutdownGraceMs,
    reload: () => void configuration.reload(),
    begin() {
      configuration.stop()
      status.set('daemon', [reasonFrom(errors.DAEMON_STOPPING({}))])
    },
  })

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
    running.add(plan)
    status.changed()
    try {
      const { outcome } = await engine.run(plan, { trigger, scheduledFor, signal })
      if (outcome.status === 'succeeded') metrics.succeeded(plan, clock.now())
      if (outcome.status === 'aborted' && stopping.requested()) aborted = true
      if (outcome.status === 'failed') validation.again(plan)
    } finally {
      running.delete(plan)
      status.changed()
      configuration.settle()
    }
  }

  function missed({ plan, scheduledFor, reason, count }: MissedSlot): void {
    const slots = count > 1 ? `, ${count} slots` : ''
    log.warn(`plan "${plan}" did not run: ${reason}${slots}`, { plan, reason, count, scheduledFor })
    metrics.missed(plan, reason, count)
    engine.recordSkip(plan, scheduledFor, reason)
  }

  function apply(next: LoadedConfig): void {
    const { config } = next
    const before = engine.config()
    engine.reconfigure(config)
    scheduler?.update(config.plans.filter(isScheduled))
    metrics.configured(config, before)
    http.listen(next)
    checkSchedules()
    void validation.start()
    void permissions.start()
  }

  function checkSchedules(): void {
    const { plans, source } = engine.config()
    status.set('schedule', plans.some(isScheduled) ? [] : [reasonFrom(errors.PLANS_UNSCHEDULED({ source }))])
  }

  /** Two daemons with one state directory would run everything twice; the next one waits for the end of the last. */
  async function waitForTurn(): Promise<void> {
    const owner = `process ${process.pid}`
    while (!stopping.requested()) {
      hasTurn = engine.locks.tryAcquire('daemon', owner) !== undefined
      if (hasTurn) return
      const waiting = errors.DAEMON_WAITING({ directory: stateDirectory, owner: engine.locks.ownerOf('daemon') })
      status.set('daemon', [reasonFrom(waiting)])
      await Promise.race([clock.sleep(waitMs), stopping.told])
    }
  }

  try {
    status.set('daemon', [reasonFrom(errors.DAEMON_STARTING({}))])
    // Before anything else, so that whoever asks is told what it waits for.
    http.listen(loaded)
    await waitForTurn()
    if (!hasTurn) return stopping.faulted() ? exitCode.failed : exitCode.ok
    status.set('daemon', [reasonFrom(errors.DAEMON_STARTING({}))])
    await http.openSocket()
    status.configured(loaded.config.source, false)
    const started = await startEngine(session, context)
    if (started.failed) return stopping.signal() ? exitCodeOfSignal(stopping.signal()) : exitCode.failed
    metrics.valid(true)
    checkSchedules()
    await Promise.all([validation.start(), permissions.start()])
    scheduler = createScheduler({
      clock,
      plans: engine.config().plans.filter(isScheduled),
      lastScheduled: (plan) => engine.journal.lastScheduled(plan),
      fire,
      missed,
      log,
    })
    if (!stopping.requested()) {
      scheduler.start()
      status.set('daemon', [])
      configuration.settle()
      log.info('scheduling', { plans: engine.config().plans.length, source: engine.config().source })
    }
    metrics.configured(engine.config())
    const stopHousekeeping = keepHouse(engine, clock, log)
    await stopping.told
    stopHousekeeping()
    await Promise.all([scheduler.stop(), stopping.settled()])
    if (stopping.faulted()) return exitCode.failed
    return aborted ? exitCodeOfSignal(stopping.signal()) : exitCode.ok
  } finally {
    configuration.stop()
    validation.stop()
    permissions.stop()
    stopping.close()
    status.close()
    // Before the next daemon gets its turn: the socket belongs to whoever has it.
    await http.close()
    engine.close()
  }
}
