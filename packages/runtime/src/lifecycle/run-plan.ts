// A run of a plan: one at a time, with the retries that the plan asks for.
import { formatDuration, type Outcome, type Run, type RunTrigger } from '@holdfast/sdk'
import { drillOfId } from '../drill/drill-name.ts'
import { errors } from '../errors.ts'
import { giveBackLeftovers } from '../journal/give-back-leftovers.ts'
import type { HeldLock } from '../journal/locks.ts'
import { lockDirectoryOf } from '../journal/process.ts'
import { quietly } from '../journal/quietly.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { executeRun, stateUnwritable } from './execute.ts'
import { behindReason } from './outcome.ts'
import { newRunId } from './run-id.ts'
import { linkSignals } from './signals.ts'
import { skipRun } from './skip-run.ts'

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

/** A run that ended. */
export interface RunResult {
  readonly run: Run
  readonly outcome: Outcome
}

/** How a plan is run. */
export interface RunPlanOptions {
  /** With one configuration: a run sees the same from its beginning to its end. */
  readonly services: Services
  readonly plan: ResolvedPlan
  readonly request: RunRequest
}

/** A new attempt of a plan. */
export function newPlanRun({ clock }: Pick<Services, 'clock'>, plan: string, request: RunRequest, attempt = 1): Run {
  return {
    id: newRunId(clock.now()),
    plan,
    attempt,
    scheduledFor: request.scheduledFor ?? clock.now(),
    trigger: attempt > 1 ? 'retry' : (request.trigger ?? 'manual'),
    dryRun: request.dryRun ?? false,
  }
}

/** Runs a plan; where it is under way already, the run is skipped. Never rejects for a failed run: the outcome says it. */
export async function runPlan(options: RunPlanOptions): Promise<RunResult> {
  const { services, plan, request } = options
  const { locks, journal, process, stateDirectory, shutdown } = services
  const { name } = plan
  const lockName = `plan-${name}`
  let lock: HeldLock | undefined
  try {
    lock = locks.tryAcquire(lockName, `process ${process.pid} on ${process.host}`)
  } catch (cause) {
    const run = newPlanRun(services, name, request)
    const refused = stateUnwritable(lockDirectoryOf(stateDirectory), cause, run)
    return { run, outcome: await executeRun(services, { run, plan, refused }) }
  }
  if (!lock) {
    const cause = errors.LOCK_BUSY({ lock: lockName, owner: locks.ownerOf(lockName) })
    const run = newPlanRun(services, name, request)
    const error = errors.PLAN_BUSY({ plan: name }, { cause, run: run.id })
    return { run, outcome: skipRun(services, run, { reason: 'busy', error }) }
  }
  try {
    const result = await runAttempts(options)
    if (!shutdown.requested.aborted) await services.undoMirror?.removeLeft()
    return result
  } finally {
    quietly(services, () => journal.forgetRunsOf(name))
    lock.release()
  }
}

/** A dry run only looks: no lock, so that no backup is skipped for its sake. */
export async function dryRunPlan({ services, plan, request }: RunPlanOptions): Promise<RunResult> {
  const run = newPlanRun(services, plan.name, request)
  const { only, signal } = request
  return { run, outcome: await executeRun(services, { run, plan, only, signal }) }
}

async function runAttempts({ services, plan, request }: RunPlanOptions): Promise<RunResult> {
  const { clock, log, shutdown } = services
  const { name, retry } = plan
  const { attempts, backoffMs } = retry
  const stop = linkSignals([shutdown.requested, ...(request.signal ? [request.signal] : [])])
  try {
    for (let attempt = 1; ; attempt++) {
      await giveBackLeftovers(services, (undo) => undo.plan === name && drillOfId(undo.participant) === undefined)
      const run = newPlanRun(services, name, request, attempt)
      request.begins?.(run)
      const outcome = await executeRun(services, { run, plan, only: request.only, signal: request.signal })
      // What only a copy lacks is not worth standing still for once more: the next run copies it. And what was lost from the
      // store doesn't come back by it, but would look as if it had.
      const isBackedUp = outcome.reason === behindReason || outcome.error?.code === 'STORE_EMPTIED'
      const again = attempt < attempts && ['failed', 'partial'].includes(outcome.status) && !isBackedUp
      if (!again || stop.signal.aborted) return { run, outcome }
      log.info(`plan "${name}" is tried again in ${formatDuration(backoffMs)}`, { plan: name, run: run.id })
      await clock.sleep(backoffMs, stop.signal).catch(() => {})
      if (stop.signal.aborted) return { run, outcome }
    }
  } finally {
    stop.close()
  }
}
