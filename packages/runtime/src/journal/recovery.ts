// Gives back what dead processes have taken: their pending undos are run (DESIGN §4e).
import { parseDuration, type HoldfastError, type Json, type UndoDefinition } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf, toFailure } from '../failure.ts'
import { varsDirectoryOf } from '../lifecycle/execute.ts'
import { ownParticipant, unknownPlan } from '../lifecycle/own.ts'
import { runUndo, undoBackoffMs, validInput } from '../lifecycle/undo.ts'
import type { Participant, ResolvedConfig, ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { createVars } from '../vars.ts'
import type { Liveness } from './owners.ts'
import { reportPendingUndos } from './pending-undos.ts'
import { livenessLookup } from './process.ts'
import { runOf, type RunRecord, type UndoRecord } from './records.ts'

/** What became of one pending undo. */
export interface RecoveredUndo {
  readonly undo: UndoRecord
  /** `alive`: its owner is at it, or the run that took it goes on. `unknown`: nobody can tell, so nothing was done. */
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
  { heldUndos, journal, process }: Services,
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
  if (armer !== 'alive') return undefined
  // Its process lives, and has given up on it with the run: it would only try again when another run begins.
  return journal.history.run(undo.run)?.endedAt === undefined ? 'alive' : undefined
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
