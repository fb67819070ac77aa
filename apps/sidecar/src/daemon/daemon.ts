// The daemon: runs plans on their schedules, keeps its configuration current, and stops in order.
import {
  createScheduler,
  drillId,
  drillOfId,
  type FireSlot,
  type LoadedConfig,
  type MissedSlot,
  type RunResult,
  type Scheduler,
} from '@holdfast/runtime'
import type { RunStatus } from '@holdfast/sdk'
import { isScheduled } from '../commands/schedule.ts'
import type { CommandContext } from '../context.ts'
import { describeScheduled, scheduledIn } from '../drills.ts'
import { errors } from '../errors.ts'
import { exitCode, exitCodeOfSignal } from '../exit-codes.ts'
import { serveHttp } from '../http/http.ts'
import { openEngine, startEngine } from '../session.ts'
import { version } from '../version.ts'
import { keepConfiguration } from './configuration-keeper.ts'
import { keepHouse } from './housekeeping.ts'
import { createLeadership, type Reign } from './leadership.ts'
import { createByHand, type ByHandOptions } from './by-hand.ts'
import { createDaemonMetrics } from './metrics.ts'
import { watchPermissions } from './permission-watch.ts'
import { lookForOrphans } from './orphans.ts'
import { watchStale } from './stale-watch.ts'
import { createStatus, reasonFrom, type DrillStatus, type PlanStatus } from './status.ts'
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
    pausedSince: (plan) => byHand.pauses.since(plan),
  })
  /** The plans and drills that run, by what the scheduler calls them, and the slots that they run for. */
  const running = new Map<string, Date>()
  /** The plans that run because somebody said so. */
  const runningByHand = new Set<string>()
  let scheduler: Scheduler | undefined
  let aborted = false
  /** Recovered and booted: a changed configuration can come into force. */
  let isUp = false
  /** Slots up to here are dealt with. */
  let handledUntil = clock.now()
  /** While this daemon schedules. */
  let reigning: Reign | undefined
  /** No other daemon uses this state directory. */
  let hasTurn = false

  const status = createStatus({
    version,
    stateDirectory,
    clock,
    log,
    plans: planStatus,
    drills: drillStatus,
    role: () => leadership.role(),
    isWritten: () => hasTurn,
  })
  const byHand = createByHand({
    engine,
    clock,
    log,
    status,
    scheduler: () => scheduler,
    isRunning: (plan) => running.has(plan) || runningByHand.has(plan),
    run: runByHand,
  })
  const http = serveHttp({ context, status, metrics: session.metrics, engine, byHand })
  const validation = createValidation({ engine, clock, log, report: (reasons) => status.set('plans', reasons) })
  const permissions = watchPermissions({
    cluster: session.cluster,
    clock,
    log,
    env: io.env,
    config: () => engine.config(),
    report: (reasons) => status.set('permissions', reasons),
  })
  const configuration = keepConfiguration({
    context,
    loaded,
    isIdle: () => running.size === 0 && runningByHand.size === 0 && isUp,
    apply,
    waits: (isWaiting) => status.configured(engine.config().source, isWaiting),
    refused(error) {
      status.set('configuration', error ? [reasonFrom(error)] : [])
      metrics.valid(error === undefined)
    },
  })
  const leadership = createLeadership({
    context,
    session,
    schedule: runSchedules,
    handledUntil() {
      handledUntil = scheduler ? dealtWith(scheduler) : handledUntil
      return handledUntil
    },
    atWork: () => running,
    pauses: byHand.pauses,
    report: (error) => status.set('leader', error ? [reasonFrom(error)] : []),
    standBy() {
      status.set('daemon', [])
      status.changed()
      log.info('standing by: one of several pods schedules')
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

  const toldToStop = new AbortController()
  void stopping.told.then(() => toldToStop.abort(new Error('told to stop')))

  function planStatus(): readonly PlanStatus[] {
    metrics.look()
    return engine.config().plans.map(({ name, schedule }) => ({
      name,
      cron: schedule?.cron,
      next: scheduler?.next(name),
      running: running.has(name) || runningByHand.has(name),
      lastSuccess: metrics.lastSuccess(name),
    }))
  }

  function drillStatus(): readonly DrillStatus[] {
    metrics.look()
    return engine.config().drills.map(({ name, plan, schedule }) => ({
      name,
      plan: plan.name,
      cron: schedule?.cron,
      next: scheduler?.next(drillId(name)),
      running: running.has(drillId(name)),
      lastSuccess: metrics.lastSuccess(drillId(name)),
    }))
  }

  /** @param slot - its plan is what the scheduler calls a plan or a drill */
  async function fire(slot: FireSlot, reign: Reign): Promise<void> {
    const { plan: name, scheduledFor } = slot
    if (!reign.isLeading()) {
      // Whoever leads next deals with this slot: it comes after the last one that we said we had dealt with.
      const what = describeScheduled(name)
      log.info(`${what} is not started: this pod does not lead any more`, { ...fieldsOf(name), scheduledFor })
      return
    }
    // Somebody may have paused it a moment ago.
    byHand.pauses.look()
    if (byHand.pauses.since(name)) return missed({ plan: name, scheduledFor, reason: 'paused', count: 1 })
    running.set(name, scheduledFor)
    status.changed()
    try {
      const ended = await runSlot(slot, AbortSignal.any([slot.signal, reign.lost]))
      metrics.ended(name)
      if (ended === 'aborted' && stopping.requested()) aborted = true
      if (ended === 'failed') validation.again(name)
    } finally {
      running.delete(name)
      status.changed()
      configuration.settle()
    }
  }

  async function runByHand(plan: string, { targets, begins }: Parameters<ByHandOptions['run']>[1]): Promise<RunResult> {
    runningByHand.add(plan)
    status.changed()
    try {
      const result = await engine.run(plan, {
        trigger: 'manual',
        only: targets,
        begins: ({ id }) => begins(id),
        // Another pod would run the same plan meanwhile.
        signal: reigning?.lost,
      })
      metrics.ended(plan)
      if (result.outcome.status === 'failed') validation.again(plan)
      return result
    } finally {
      runningByHand.delete(plan)
      status.changed()
      configuration.settle()
    }
  }

  async function runSlot({ plan, scheduledFor, trigger }: FireSlot, signal: AbortSignal): Promise<RunStatus> {
    const drill = drillOfId(plan)
    const { outcome } =
      drill === undefined
        ? await engine.run(plan, { trigger, scheduledFor, signal })
        : await engine.drill(drill, { scheduledFor, signal })
    return outcome.status
  }

  function missed({ plan: name, scheduledFor, reason, count }: MissedSlot): void {
    const slots = count > 1 ? `, ${count} slots` : ''
    log.warn(`${describeScheduled(name)} did not run: ${reason}${slots}`, {
      ...fieldsOf(name),
      reason,
      count,
      scheduledFor,
    })
    metrics.missed(name, reason, count)
    const drill = drillOfId(name)
    if (drill === undefined) engine.recordSkip(name, scheduledFor, reason)
    else engine.recordDrillSkip(drill, scheduledFor, reason)
  }

  function apply(next: LoadedConfig): void {
    const { config } = next
    const before = engine.config()
    engine.reconfigure(config)
    scheduler?.update(scheduledIn(config))
    byHand.pauses.configured()
    metrics.configured(config, before)
    leadership.configured()
    http.listen(next)
    checkSchedules()
    void validation.start()
    void permissions.start()
  }

  function checkSchedules(): void {
    const { plans, source } = engine.config()
    // Only a crontab may be without plans, and then it is there to be filled: nothing is wrong.
    if (plans.length === 0) log.warn(`${source} has no lines: nothing is scheduled, and nothing is backed up`)
    const isWell = plans.length === 0 || plans.some(isScheduled)
    status.set('schedule', isWell ? [] : [reasonFrom(errors.PLANS_UNSCHEDULED({ source }))])
  }

  function lastSlot(name: string): Date | undefined {
    const drill = drillOfId(name)
    return drill === undefined ? engine.journal.lastScheduled(name) : engine.journal.lastDrill(drill)
  }

  /** Every slot up to the first that is due and not fired yet. */
  function dealtWith({ next }: Scheduler): Date {
    const now = clock.now().getTime()
    const open = scheduledIn(engine.config()).map(({ name }) => next(name)?.getTime() ?? Infinity)
    return new Date(Math.min(now, Math.min(...open) - 1))
  }

  /** Runs plans on their schedules, until the daemon is told to stop, or another one schedules. */
  async function runSchedules(reign: Reign): Promise<void> {
    const made = createScheduler({
      clock,
      plans: scheduledIn(engine.config()),
      lastScheduled: (name) => later(lastSlot(name), reign.handledUntil(name)),
      fire: (slot) => fire(slot, reign),
      missed,
      log,
    })
    scheduler = made
    reigning = reign
    const stopLooking = byHand.pauses.start()
    if (!stopping.requested() && !reign.lost.aborted) {
      made.start()
      status.set('daemon', [])
      status.changed()
      configuration.settle()
      const { plans, drills, source } = engine.config()
      log.info('scheduling', { plans: plans.length, ...(drills.length > 0 && { drills: drills.length }), source })
    }
    const from = engine.config().replicas === 'leader' ? clock.now() : undefined
    const stopWatching = watchStale({
      engine,
      clock,
      isPaused: (plan) => byHand.pauses.since(plan) !== undefined,
      from,
    })
    await Promise.race([stopping.told, whenAborted(reign.lost)])
    stopWatching()
    handledUntil = reign.lost.aborted ? handledUntil : dealtWith(made)
    stopLooking()
    scheduler = undefined
    await made.stop()
    // Told to stop, too, it leads until nothing runs any more.
    reigning = undefined
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
    // Meanwhile: an API server that doesn't answer is waited for once.
    const permitted = permissions.start()
    const started = await startEngine(session, context)
    if (started.failed) return stopping.signal() ? exitCodeOfSignal(stopping.signal()) : exitCode.failed
    metrics.valid(true)
    checkSchedules()
    await Promise.all([validation.start(), permitted])
    isUp = true
    byHand.pauses.configured()
    configuration.settle()
    metrics.configured(engine.config())
    const stopHousekeeping = keepHouse(engine, clock, log)
    const stopLooking = lookForOrphans(session, clock, log, started.isComplete ?? true)
    await leadership.run(toldToStop.signal)
    await stopping.told
    stopHousekeeping()
    stopLooking()
    await stopping.settled()
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
    await session.close()
  }
}

function fieldsOf(name: string): object {
  const drill = drillOfId(name)
  return drill === undefined ? { plan: name } : { drill }
}

function later(a: Date | undefined, b: Date | undefined): Date | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
