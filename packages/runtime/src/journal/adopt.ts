// Undos of others: what the cluster keeps of processes that are gone is taken over into our journal, and run from there.
import type { Run } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf, recordFailure } from '../failure.ts'
import { varsDirectoryOf } from '../lifecycle/execute.ts'
import type { Services } from '../services.ts'
import { countRun } from '../telemetry/run-metrics.ts'
import { writeMirroredVars } from './mirrored-vars.ts'
import { livenessElsewhere } from './process.ts'
import type { RunRecord, UndoRecord } from './records.ts'
import type { MirroredUndo, UndoMirror } from './undo-mirror.ts'

/** What was found in the cluster. */
export interface Adoption {
  /** Undos that are ours to run from now on. */
  readonly undos: readonly string[]
  /** Runs that died with the processes that armed them. */
  readonly interrupted: readonly RunRecord[]
  /** Undos of which nobody can tell whether their owner lives. */
  readonly unknown: readonly UndoRecord[]
  /** Undos of others who live, or whom another pod is just taking over from. */
  readonly alive: readonly UndoRecord[]
  /** Everything that the cluster has, nothing where there is none; `undefined` when it could not be asked. */
  readonly listed: ReadonlySet<string> | undefined
}

/** Options of {@link adoptOrphans}. */
export interface AdoptOptions {
  /** Ids to look at; default all. */
  readonly only?: readonly string[] | undefined
  /** A person says that the owners are gone. */
  readonly force?: boolean | undefined
}

/** What a cluster that was not asked has. */
export const nothing: Adoption = { undos: [], interrupted: [], unknown: [], alive: [], listed: undefined }

/** What the critical metric calls an undo that can't be read. */
const unreadable = 'unreadable'

/** Why the cluster could not be looked at, as it was last said. */
const told = new WeakMap<UndoMirror, string>()

/** Takes over the undos in the cluster whose owner is gone, and clears away those that are settled. Never rejects. */
export async function adoptOrphans(services: Services, options: AdoptOptions = {}): Promise<Adoption> {
  const { undoMirror, owners, journal, heldUndos, strayUndos, process, log } = services
  if (!undoMirror) return { ...nothing, listed: new Set() }
  let listed: readonly MirroredUndo[]
  const damaged: string[] = []
  try {
    listed = await undoMirror.list((name) => damaged.push(name))
    told.delete(undoMirror)
  } catch (error) {
    const reason = reasonOf(error)
    // Every minute of a day without an API server it is the same.
    const say = told.get(undoMirror) === reason ? log.debug.bind(log) : log.error.bind(log)
    say(`armed undos in the cluster can't be looked at: ${reason}; they are looked for again`, { error })
    told.set(undoMirror, reason)
    return nothing
  }
  await owners.refresh(listed.map(({ owner }) => owner))
  const adopted: { readonly undo: string; readonly interrupted: RunRecord | undefined }[] = []
  const unknown: UndoRecord[] = []
  const alive: UndoRecord[] = []
  if (!options.only) strayUndos.clear()
  // Of a newer version, say: something is frozen, and nobody here can thaw it.
  for (const name of damaged) strayUndos.set(name, unreadable)
  // Oldest first: the journal has the newest first then, as if they had been armed here.
  for (const mirrored of listed.toReversed()) {
    const { id } = mirrored.undo
    // Nothing new is begun then.
    if (services.shutdown.requested.aborted) break
    if (options.only && !options.only.includes(id)) continue
    const known = journal.undo(id)
    if (known || heldUndos.has(id)) {
      if (known && known.state !== 'armed' && known.state !== 'firing' && !heldUndos.has(id)) await clear(services, id)
      continue
    }
    const ours = options.force ? true : isOurs(services, mirrored)
    if (ours === false) continue
    const seen = options.force ? 'gone' : livenessElsewhere(mirrored.owner, process, owners)
    const liveness = seen === 'gone' && ours === undefined ? 'unknown' : seen
    if (liveness === 'unknown') {
      unknown.push(undoRecordOf(mirrored))
      strayUndos.set(id, mirrored.undo.undo)
    }
    const taken = liveness === 'gone' ? await adopt(services, mirrored) : undefined
    if (taken) adopted.push(taken)
    else if (liveness !== 'unknown') alive.push(undoRecordOf(mirrored))
  }
  return {
    undos: adopted.map(({ undo }) => undo),
    interrupted: adopted.flatMap(({ interrupted }) => interrupted ?? []),
    unknown,
    alive,
    listed: new Set(listed.map(({ undo }) => undo.id)),
  }
}

/**
 * Whether we are who looks after an undo, should its owner be gone. Many run in one namespace under the same names, each
 * for an application of its own: a script that was meant for another one must not be run here.
 *
 * @returns `undefined` when nobody can tell
 */
function isOurs({ process, owners }: Services, { owner }: MirroredUndo): boolean | undefined {
  if (owner.pod === process.pod || owners.isDeposed(owner.id)) return true
  if (owner.workload === undefined || process.workload === undefined) return undefined
  return owner.workload === process.workload
}

async function adopt(
  services: Services,
  mirrored: MirroredUndo,
): Promise<{ readonly undo: string; readonly interrupted: RunRecord | undefined } | undefined> {
  const { undoMirror, journal, strayUndos, heldUndos, log, stateDirectory } = services
  const { undo, run, runStartedAt, owner, vars } = mirrored
  // Another look around may come to it meanwhile.
  heldUndos.add(undo.id)
  try {
    if ((await undoMirror?.claim(undo.id, { from: 'mirror' })) !== 'ours') return undefined
    // The run first: variables of runs that nobody knows are swept.
    const interrupted = adoptRun(services, run, {
      instance: undo.instance,
      startedAt: runStartedAt,
      process: owner.id,
      reason: `pod ${owner.podName ?? owner.host} ended in the middle of it`,
    })
    writeMirroredVars(varsDirectoryOf(stateDirectory, run.id), vars)
    journal.adoptUndo({ ...undo, run: run.id, process: owner.id })
    strayUndos.delete(undo.id)
    return { undo: undo.id, interrupted }
  } catch (error) {
    log.error(`the undo "${undo.undo}" of plan "${undo.plan}" can't be taken over: ${reasonOf(error)}`, {
      plan: undo.plan,
      run: run.id,
      error,
    })
    strayUndos.set(undo.id, undo.undo)
    await undoMirror?.release(undo.id)
    return undefined
  } finally {
    heldUndos.delete(undo.id)
  }
}

/**
 * Records a run that died with a process whose journal we don't have.
 *
 * @returns `undefined` when it is on record already
 */
export function adoptRun(
  services: Services,
  run: Run,
  of: {
    readonly instance: string
    readonly startedAt: Date
    readonly process: string
    readonly reason: string
    /** Default: true. */
    readonly observersDue?: boolean
  },
): RunRecord | undefined {
  const { journal, log, meter } = services
  const error = recordFailure(errors.RUN_ABORTED({ reason: of.reason }))
  if (!journal.adoptRun(run, { observersDue: true, ...of, error })) return undefined
  if (!run.dryRun) countRun(meter, run, 'aborted')
  log.warn(`a run of plan "${run.plan}" was interrupted; it is recorded as aborted`, { plan: run.plan, run: run.id })
  return journal.runs({ id: run.id })[0]
}

/** What our journal knows as settled has no business in the cluster any more. */
async function clear({ undoMirror, log }: Services, id: string): Promise<void> {
  try {
    await undoMirror?.remove(id)
  } catch (error) {
    log.warn(`the record of a settled undo in the cluster could not be removed: ${reasonOf(error)}`, {
      undo: id,
      error,
    })
  }
}

/** An undo in the cluster, as the journal would have it. */
export function undoRecordOf({ undo, run, owner }: MirroredUndo): UndoRecord {
  return {
    ...undo,
    run: run.id,
    process: owner.id,
    state: 'armed',
    attempts: 0,
    firedBy: undefined,
    settledAt: undefined,
    error: undefined,
  }
}
