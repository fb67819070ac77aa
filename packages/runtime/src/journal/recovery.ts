// What a start after a crash does: give back what dead processes have taken, then end their runs (DESIGN §4e).
import { rmSync } from 'node:fs'
import type { HoldfastError, Json, Outcome } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf, recordFailure } from '../failure.ts'
import { newRunState, outcomeOf } from '../lifecycle/outcome.ts'
import { observeRecovered, varsDirectoryOf } from '../lifecycle/execute.ts'
import { runUndo, validInput } from '../lifecycle/undo.ts'
import { sweepWorkspaces } from '../lifecycle/workspaces.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { createVars } from '../vars.ts'
import { forgetProcesses, livenessOf, lockDirectoryOf, type Liveness } from './process.ts'
import { runOf, type RunRecord, type UndoRecord } from './records.ts'

/** What became of one pending undo. */
export interface RecoveredUndo {
  readonly undo: UndoRecord
  /** `alive`: its owner lives and will run it. `unknown`: nobody can tell, so nothing was done. */
  readonly result: 'done' | 'failed' | 'alive' | 'unknown'
  readonly error?: HoldfastError | undefined
}

/** What a recovery found and did. */
export interface Recovery {
  readonly undos: readonly RecoveredUndo[]
  /** Runs that died with their process. */
  readonly interrupted: readonly RunRecord[]
}

/** Options of {@link recoverUndos}. */
export interface RecoverOptions {
  /** One attempt each; else each is retried to its deadline. */
  readonly once: boolean
  /** Ids to look at; default all. */
  readonly only?: readonly string[] | undefined
  /** A person says that the owners are gone. */
  readonly force?: boolean | undefined
}

/** Fires the pending undos whose owner is gone, newest first. */
export async function recoverUndos(services: Services, options: RecoverOptions): Promise<readonly RecoveredUndo[]> {
  const liveness = livenessLookup(services)
  const results: RecoveredUndo[] = []
  for (const undo of services.journal.pendingUndos()) {
    if (options.only && !options.only.includes(undo.id)) continue
    const owner = liveness(undo.state === 'firing' && undo.firedBy !== undefined ? undo.firedBy : undo.process)
    const armer = liveness(undo.process)
    const mine = undo.process === services.process.id
    if (!options.force && !mine && (owner !== 'gone' || armer !== 'gone')) {
      const result = owner === 'unknown' || armer === 'unknown' ? 'unknown' : 'alive'
      results.push({ undo, result })
      continue
    }
    results.push(await recoverUndo(services, undo, options.once))
  }
  reportPending(services, results)
  return results
}

/**
 * Marks the runs of dead processes as aborted. Their observers are called later, once dependencies are installed.
 */
export function abortInterrupted(services: Services): readonly RunRecord[] {
  const { journal, log } = services
  const liveness = livenessLookup(services)
  const interrupted = journal.openRuns().filter((run) => run.endedAt === undefined && liveness(run.process) === 'gone')
  for (const run of interrupted) {
    const error = recordFailure(errors.RUN_ABORTED({ reason: 'the process ended in the middle of it' }))
    journal.endRun(run.id, { status: 'aborted', error, observersDue: true })
    log.warn(`a run of plan "${run.plan}" was interrupted; it is recorded as aborted`, { plan: run.plan, run: run.id })
  }
  return interrupted
}

/** Calls onError and onFinish of runs that died before theirs were called; at most once each. */
export async function observeInterrupted(services: Services): Promise<void> {
  const { journal } = services
  const liveness = livenessLookup(services)
  for (const record of journal.openRuns()) {
    if (!record.observersDue || (liveness(record.process) !== 'gone' && record.process !== services.process.id))
      continue
    journal.observersCalled(record.id)
    const plan = services.config().plans.find(({ name }) => name === record.plan)
    const called = journal.hooks(record.id).some(({ hook }) => hook === 'onError' || hook === 'onFinish')
    if (!plan || called) continue
    await observeRecovered(services, plan, runOf(record), abortedOutcome(record, plan))
  }
}

/** Removes what dead processes left behind: workspaces, variables of settled runs, locks. */
export function sweepAfterCrash(services: Services): void {
  const { journal, locks, process, stateDirectory } = services
  const liveness = livenessLookup(services)
  sweepWorkspaces(stateDirectory, (id) => liveness(id) === 'gone')
  const pending = new Set(journal.pendingUndos().map(({ run }) => run))
  for (const run of journal.runs({ limit: 1000 })) {
    if (run.endedAt && !pending.has(run.id)) {
      rmSync(varsDirectoryOf(stateDirectory, run.id), { recursive: true, force: true })
    }
  }
  forgetProcesses(journal, process, locks, lockDirectoryOf(stateDirectory))
}

async function recoverUndo(services: Services, undo: UndoRecord, once: boolean): Promise<RecoveredUndo> {
  const { journal, config, clock, log } = services
  const plan = config().plans.find(({ name }) => name === undo.plan)
  const participant = plan?.participants.find(({ id }) => id === undo.participant)
  const definition = participant?.undos.get(undo.undo)
  const run = journal.runs({ id: undo.run })[0]
  try {
    if (!plan || !participant || !definition || !run) {
      throw errors.UNDO_UNKNOWN({ undo: undo.undo, owner: `${undo.participant} of plan ${undo.plan}` })
    }
    await runUndo({
      services,
      plan,
      participant,
      run: runOf(run),
      vars: createVars(varsDirectoryOf(services.stateDirectory, run.id)),
      id: undo.id,
      definition,
      input: await validInput(definition, JSON.parse(undo.input) as Json),
      recovered: undo.process !== services.process.id,
      takenFrom: undo.firedBy,
      heldSince: clock.monotonic() - (clock.now().getTime() - undo.armedAt.getTime()),
      once,
    })
    log.warn(`gave back what an interrupted run had taken: "${undo.undo}"`, { plan: undo.plan, run: undo.run })
    services.meter
      .counter('holdfast_undos_recovered_total', 'Undos run for a process that was gone', ['kind'])
      .add(1, { kind: undo.undo })
    return { undo, result: 'done' }
  } catch (error) {
    const failure = error as HoldfastError
    log.error(`still pending after an interrupted run: "${undo.undo}": ${reasonOf(failure)}`, {
      plan: undo.plan,
      run: undo.run,
      error: failure,
    })
    services.meter
      .counter('holdfast_undo_failures_total', 'Undos that did not succeed', ['kind'])
      .add(1, { kind: undo.undo })
    return { undo, result: 'failed', error: failure }
  }
}

function reportPending(services: Services, results: readonly RecoveredUndo[]): void {
  for (const { undo, result } of results) {
    if (result !== 'unknown') continue
    services.log.error(
      `the undo "${undo.undo}" of plan "${undo.plan}" is pending, and whether its owner lives can't be told from here: nothing was done`,
      { plan: undo.plan, run: undo.run },
    )
  }
  const pending = results.filter(({ result }) => result === 'failed' || result === 'unknown')
  const gauge = services.meter.gauge('holdfast_undos_pending', 'Effects that have not been given back', ['kind'])
  for (const kind of new Set(results.map(({ undo }) => undo.undo))) {
    gauge.set(pending.filter(({ undo }) => undo.undo === kind).length, { kind })
  }
}

function livenessLookup(services: Services): (process: string) => Liveness {
  const known = new Map<string, Liveness>()
  return (id) => {
    let state = known.get(id)
    if (!state) known.set(id, (state = livenessOf(services.journal.process(id), services.process, services.locks)))
    return state
  }
}

function abortedOutcome(record: RunRecord, plan: ResolvedPlan): Outcome {
  const state = newRunState(runOf(record), plan)
  state.aborted = errors.RUN_ABORTED({ reason: 'the process ended in the middle of it' }, { run: record.id })
  return outcomeOf(state)
}
