// What a start after a crash does: give back what dead processes have taken, then end their runs (DESIGN §4e).
import { readdirSync } from 'node:fs'
import {
  parseDuration,
  type HoldfastError,
  type Json,
  type Outcome,
  type RunTrigger,
  type TargetOutcome,
  type UndoDefinition,
} from '@holdfast/sdk'
import { listScratches, sweepScratch } from '../drill/scratch.ts'
import { errors } from '../errors.ts'
import { reasonOf, recordFailure, toFailure } from '../failure.ts'
import { observeRecovered, varsDirectoryOf } from '../lifecycle/execute.ts'
import { removeLeftover } from '../lifecycle/leftovers.ts'
import { ownParticipant, unknownPlan } from '../lifecycle/own.ts'
import { observerKey } from '../lifecycle/run.ts'
import { runUndo, undoBackoffMs, validInput } from '../lifecycle/undo.ts'
import { sweepWorkspaces } from '../lifecycle/workspaces.ts'
import type { Participant, ResolvedConfig, ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { countRun } from '../telemetry/run-metrics.ts'
import { createVars } from '../vars.ts'
import type { Journal } from './journal.ts'
import type { Liveness } from './owners.ts'
import { forgetProcesses, livenessOf, lockDirectoryOf } from './process.ts'
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
  /** False: the cluster could not be asked what others have left, and is to be asked again. */
  readonly isComplete: boolean
}

/** Options of {@link recoverUndos}. */
export interface RecoverOptions {
  /** One attempt each; else each is retried to its deadline. */
  readonly once: boolean
  /** Ids to look at; default all. */
  readonly only?: readonly string[] | undefined
  /** A person says that the owners are gone. */
  readonly force?: boolean | undefined
  /** The caller reports what became of them. */
  readonly quiet?: boolean | undefined
}

/** Fires the pending undos whose owner is gone, newest first. */
export async function recoverUndos(services: Services, options: RecoverOptions): Promise<readonly RecoveredUndo[]> {
  const { clock, shutdown } = services
  const began = clock.monotonic()
  const results = new Map<string, RecoveredUndo>()
  const round = async (only: readonly string[] | undefined): Promise<void> => {
    for (const each of await recoverOnce(services, { ...options, only })) results.set(each.undo.id, each)
  }
  await round(options.only)
  for (let pause: number = undoBackoffMs.first; !options.once; pause = Math.min(pause * 2, undoBackoffMs.longest)) {
    // Deadlines count from the recovery, so that one that hangs takes no time from the others.
    const waiting = [...results.values()].filter(
      ({ undo, result }) => result === 'failed' && timeLeft(services, undo, began) > 0,
    )
    if (waiting.length === 0 || shutdown.expired.aborted) break
    const left = Math.max(...waiting.map(({ undo }) => timeLeft(services, undo, began)))
    await clock.sleep(Math.min(pause, left), shutdown.expired).catch(() => {})
    if (shutdown.expired.aborted) break
    await round(waiting.map(({ undo }) => undo.id))
  }
  const all = [...results.values()]
  // What we could not do, another pod may.
  for (const { undo, result } of all) if (result === 'failed') await services.undoMirror?.release(undo.id)
  if (!options.quiet) reportRecovered(services, all)
  return all
}

/** One attempt for each undo that is ours to run. */
async function recoverOnce(services: Services, { only, force }: RecoverOptions): Promise<readonly RecoveredUndo[]> {
  const liveness = livenessLookup(services)
  const results: RecoveredUndo[] = []
  for (const undo of services.journal.pendingUndos()) {
    if (only && !only.includes(undo.id)) continue
    const result = standingOf(services, undo, liveness, force)
    results.push(result === undefined ? await recoverUndo(services, undo) : { undo, result })
  }
  return results
}

/** Why an undo is not ours to run. */
function standingOf(
  { heldUndos, process }: Services,
  undo: UndoRecord,
  liveness: (process: string) => Liveness,
  force: boolean | undefined,
): 'alive' | 'unknown' | undefined {
  if (heldUndos.has(undo.id)) return 'alive'
  const firedBy = undo.state === 'firing' ? undo.firedBy : undefined
  const firing = firedBy === undefined || firedBy === process.id ? 'gone' : liveness(firedBy)
  // Whoever is at it right now is not gone, whatever a person says.
  if (firing === 'alive') return 'alive'
  if (force || (undo.process === process.id && firing === 'gone')) return undefined
  const armer = liveness(undo.process)
  if (armer === 'unknown' || firing === 'unknown') return 'unknown'
  return armer === 'alive' ? 'alive' : undefined
}

/** Milliseconds until the deadline of an undo whose recovery began then; none for what nobody knows any more. */
function timeLeft({ config, clock }: Services, undo: UndoRecord, began: number): number {
  const { definition } = ownerOf(config(), undo)
  return definition ? began + parseDuration(definition.deadline) - clock.monotonic() : 0
}

function ownerOf(
  config: ResolvedConfig,
  undo: UndoRecord,
): {
  readonly plan: ResolvedPlan | undefined
  readonly participant: Participant | undefined
  readonly definition: UndoDefinition<Json> | undefined
} {
  const plan = config.plans.find(({ name }) => name === undo.plan)
  const own = undo.participant === ownParticipant.id ? ownParticipant.undos.get(undo.undo) : undefined
  if (own) return { plan: plan ?? unknownPlan(undo.plan), participant: ownParticipant, definition: own }
  const drill = config.drills.find(({ participant }) => participant.id === undo.participant)
  const participant = drill?.participant ?? plan?.participants.find(({ id }) => id === undo.participant)
  return { plan: drill?.plan ?? plan, participant, definition: participant?.undos.get(undo.undo) }
}

/** Runs of one task: nobody is called at their end, so nobody is after a crash. */
const unobserved: ReadonlySet<RunTrigger> = new Set(['restore', 'command'])

/**
 * Marks the runs of dead processes as aborted. Their observers are called later, once dependencies are installed.
 */
export function abortInterrupted(services: Services): readonly RunRecord[] {
  const { journal, log } = services
  const liveness = livenessLookup(services)
  const interrupted = journal.openRuns().filter((run) => run.endedAt === undefined && liveness(run.process) === 'gone')
  for (const run of interrupted) {
    const error = recordFailure(errors.RUN_ABORTED({ reason: 'the process ended in the middle of it' }))
    journal.endRun(run.id, { status: 'aborted', error, observersDue: !unobserved.has(run.trigger) })
    if (!run.dryRun) countRun(services.meter, run, 'aborted')
    log.warn(`a run of plan "${run.plan}" was interrupted; it is recorded as aborted`, { plan: run.plan, run: run.id })
  }
  return interrupted
}

/**
 * Says what dead processes have left half restored, removes what are files of it, and ends their runs. Needs no
 * configuration, and runs no undo but our own.
 */
export async function recoverRestores(services: Services): Promise<void> {
  const only = services.journal.pendingUndos().flatMap(({ id, participant, undo }) => {
    const isOwn = participant === ownParticipant.id && ownParticipant.undos.has(undo)
    return isOwn ? [id] : []
  })
  if (only.length > 0) await recoverUndos(services, { once: true, only })
  abortInterrupted(services)
}

/** Calls onError and onFinish of dead processes' runs, where theirs were not called yet; at most once each. */
export async function observeInterrupted(services: Services): Promise<void> {
  const { journal } = services
  const liveness = livenessLookup(services)
  for (const record of journal.openRuns()) {
    if (!record.observersDue || liveness(record.process) !== 'gone') continue
    const plan = services.config().plans.find(({ name }) => name === record.plan)
    if (!plan || record.dryRun) {
      journal.observersCalled(record.id)
      continue
    }
    const called = new Set(journal.hooks(record.id).map(observerKey))
    await observeRecovered(services, plan, runOf(record), { outcome: recordedOutcome(journal, record), called })
  }
}

/**
 * Removes what dead processes left behind: workspaces, variables and directories of settled runs, locks.
 *
 * @returns the processes that are forgotten
 */
export function sweepAfterCrash(services: Services): readonly string[] {
  const { journal, locks, log, process, stateDirectory } = services
  const liveness = livenessLookup(services)
  sweepWorkspaces(services, (id) => liveness(id) === 'gone')
  // Listed before the journal is asked: a run is in the journal before its variables are there.
  const directories = listVars(stateDirectory)
  const scratches = listScratches(stateDirectory)
  const needed = new Set([...journal.pendingUndos().map(({ run }) => run), ...journal.openRuns().map(({ id }) => id)])
  for (const run of directories.filter((id) => !needed.has(id))) {
    removeLeftover(varsDirectoryOf(stateDirectory, run), log)
  }
  for (const run of scratches.filter((id) => !needed.has(id))) sweepScratch(services, run)
  return forgetProcesses(journal, process, locks, lockDirectoryOf(stateDirectory))
}

function listVars(stateDirectory: string): readonly string[] {
  try {
    return readdirSync(varsDirectoryOf(stateDirectory, ''))
  } catch {
    return []
  }
}

async function recoverUndo(services: Services, undo: UndoRecord): Promise<RecoveredUndo> {
  const { journal, config, clock, log, heldUndos } = services
  const { plan, participant, definition } = ownerOf(config(), undo)
  heldUndos.add(undo.id)
  try {
    const run = journal.runs({ id: undo.run })[0]
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
      takenFrom: undo.state === 'firing' ? undo.firedBy : undefined,
      attempts: undo.attempts,
      heldSince: clock.monotonic() - Math.max(0, clock.now().getTime() - undo.armedAt.getTime()),
      onceWithinMs: parseDuration(definition.deadline),
    })
    // What we could not give back at first is not recovered: nobody was gone.
    const isOther = undo.process !== services.process.id
    const whose = isOther ? 'an interrupted run' : 'an earlier run'
    log.warn(`gave back what ${whose} had taken: "${undo.undo}"`, { plan: undo.plan, run: undo.run })
    services.meter
      .counter('holdfast_undos_recovered_total', 'Undos run for a process that was gone', ['kind'])
      .add(isOther ? 1 : 0, { kind: undo.undo })
    return { undo, result: 'done' }
  } catch (error) {
    const failure = toFailure(error, { run: undo.run })
    // Another process was quicker.
    if (failure.code === 'UNDO_TAKEN') {
      return { undo, result: journal.undo(undo.id)?.state === 'done' ? 'done' : 'alive' }
    }
    if (failure.code !== 'UNDO_FAILED') {
      services.meter
        .counter('holdfast_undo_failures_total', 'Undos that did not succeed', ['kind'])
        .add(1, { kind: undo.undo })
    }
    return { undo, result: 'failed', error: failure }
  } finally {
    heldUndos.delete(undo.id)
  }
}

/** Says what is still pending, in the log and as the critical metric. */
export function reportRecovered(services: Services, results: readonly RecoveredUndo[]): void {
  for (const { undo, result, error } of results) {
    const fields = { plan: undo.plan, run: undo.run, error }
    if (result === 'failed') {
      services.log.error(`still pending after an interrupted run: "${undo.undo}": ${reasonOf(error)}`, fields)
    }
    if (result === 'unknown') {
      services.log.error(
        `the undo "${undo.undo}" of plan "${undo.plan}" is pending, and whether its owner lives can't be told from here: nothing was done`,
        fields,
      )
    }
  }
  reportPendingUndos(
    services,
    results.map(({ undo }) => undo.undo),
  )
}

/** Kinds of undos for which the critical metric is raised. */
const raised = new WeakMap<Services['meter'], ReadonlySet<string>>()

/**
 * Sets the critical metric: undos that failed, or that nobody is going to run. Where it was raised and nothing is pending
 * any more, whoever has done it, it goes down.
 *
 * @param kinds - undos for which it is set in any case
 */
export function reportPendingUndos(services: Services, kinds: readonly string[] = []): void {
  const { strayUndos, meter } = services
  const pending = new Map([...kinds, ...(raised.get(meter) ?? [])].map((kind) => [kind, 0]))
  for (const kind of strayUndos.values()) pending.set(kind, (pending.get(kind) ?? 0) + 1)
  for (const { undo } of stuckUndos(services)) pending.set(undo, (pending.get(undo) ?? 0) + 1)
  const gauge = meter.gauge('holdfast_undos_pending', 'Effects that have not been given back', ['kind'])
  for (const [kind, count] of pending) gauge.set(count, { kind })
  raised.set(meter, new Set([...pending].flatMap(([kind, count]) => (count > 0 ? [kind] : []))))
}

/** Pending undos that failed, or that nobody is going to run. */
export function stuckUndos(services: Services): readonly UndoRecord[] {
  const { journal, heldUndos, process } = services
  const liveness = livenessLookup(services)
  return journal.pendingUndos().filter(({ id, process: owner, state, attempts }) => {
    const failed = state === 'armed' && attempts > 0
    const cared = owner === process.id ? heldUndos.has(id) : liveness(owner) === 'alive'
    return failed || !cared
  })
}

function livenessLookup(services: Services): (process: string) => Liveness {
  const known = new Map<string, Liveness>()
  return (id) => {
    let state = known.get(id)
    if (!state) {
      const { journal, process, locks, owners } = services
      known.set(id, (state = livenessOf(journal.process(id), process, locks, owners)))
    }
    return state
  }
}

/** An outcome as far as the journal has it. */
function recordedOutcome(journal: Journal, { id, status, reason, error, warnings }: RunRecord): Outcome {
  const targets = journal.targets(id).map(({ target, ...ended }): TargetOutcome => ({
    ...ended,
    target: { id: target, labels: {}, data: null },
    points: [],
  }))
  return { status: status ?? 'aborted', reason, targets, error, warnings }
}
