import type { Run } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { giveBackLeftovers } from '../journal/give-back-leftovers.ts'
import type { HeldLock } from '../journal/locks.ts'
import { lockDirectoryOf } from '../journal/process.ts'
import { quietly } from '../journal/quietly.ts'
import { newRunId } from '../lifecycle/run-id.ts'
import { skipRun } from '../lifecycle/skip-run.ts'
import type { ResolvedDrill } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { drillId } from './drill-name.ts'
import { executeDrill, type DrillResult, type ExecuteDrillOptions } from './execute-drill.ts'

/** How to run a drill. */
export type DrillRequest = Pick<ExecuteDrillOptions, 'scheduledFor' | 'signal'>

/** How a drill is run. */
export interface RunDrillOptions {
  /** With one configuration: a drill sees the same from its beginning to its end. */
  readonly services: Services
  readonly drill: ResolvedDrill
  readonly request: DrillRequest
}

/** A new run of a drill. */
export function newDrillRun({ clock }: Pick<Services, 'clock'>, drill: ResolvedDrill, scheduledFor = clock.now()): Run {
  const id = newRunId(clock.now())
  return { id, plan: drill.plan.name, drill: drill.name, attempt: 1, scheduledFor, trigger: 'drill', dryRun: false }
}

/**
 * Runs a drill: only one of the same name at once; beside runs of its plan, which it must not keep from making a backup.
 * Never rejects for one that failed: the outcome says it.
 */
export async function runDrill({ services, drill, request }: RunDrillOptions): Promise<DrillResult> {
  const { locks, journal, process, stateDirectory, shutdown } = services
  const { name } = drill
  const lockName = `drill-${name}`
  let lock: HeldLock | undefined
  try {
    lock = locks.tryAcquire(lockName, `process ${process.pid} on ${process.host}`)
  } catch (cause) {
    const path = lockDirectoryOf(stateDirectory)
    const refused = errors.STATE_UNWRITABLE({ path, reason: reasonOf(cause) }, { cause })
    return executeDrill(services, { ...request, drill, refused })
  }
  if (!lock) {
    const cause = errors.LOCK_BUSY({ lock: lockName, owner: locks.ownerOf(lockName) })
    const run = newDrillRun(services, drill, request.scheduledFor)
    const error = errors.DRILL_BUSY({ drill: name }, { cause, run: run.id })
    return { run, outcome: skipRun(services, run, { reason: 'busy', error }), restored: [] }
  }
  try {
    await giveBackLeftovers(services, (undo) => undo.participant === drillId(name))
    const result = await executeDrill(services, { ...request, drill })
    if (!shutdown.requested.aborted) await services.undoMirror?.removeLeft()
    return result
  } finally {
    quietly(services, () => journal.forgetRunsOfDrill(name))
    lock.release()
  }
}
