// A start after a crash, and what goes on looking for the dead: our own journal first, whatever the API server does, then
// what the cluster keeps of others (docs/adr/0012-undo-mirror.md).
import { reasonOf } from '../failure.ts'
import type { Run } from '@holdfast/sdk'
import { ownParticipant } from '../lifecycle/own.ts'
import type { Services } from '../services.ts'
import type { RunRecord } from './records.ts'
import { adoptOrphans, adoptRun, nothing, type Adoption } from './adopt.ts'
import { abortInterrupted, observeInterrupted } from './interrupted-runs.ts'
import { recoverUndos, reportRecovered, type RecoveredUndo, type Recovery } from './recovery.ts'

/** A run that its process did not finish, as that process had told others. */
export interface RunUnderWay {
  readonly run: Run
  readonly startedAt: Date
  /** The process that ran it. */
  readonly process: string
  /** onError and onFinish have not been called: its process vanished. */
  readonly observersDue: boolean
}

/** What a former leader leaves behind. */
export interface Inheritance {
  /** Processes that count as gone, whatever their pods do. */
  readonly processes: readonly string[]
  readonly runs: readonly RunUnderWay[]
  /** Whether we lead, at this very moment. */
  isLeading(): boolean
}

/** What may be waited for before our own undos are run. */
const patienceMs = 1000

/**
 * Recovers what died, one attempt each.
 *
 * @param insists - as long as this is so, a cluster that can't be looked at is asked again
 */
export async function recoverAll(services: Services, insists: () => boolean = () => false): Promise<Recovery> {
  const { undoMirror, clock } = services
  // With its answer everything is done in one go, but nothing stays frozen for it, and nothing that needs no API waits.
  const answers = await withPatience(clock, undoMirror?.prepare() ?? askForOwners(services))
  const own = await recoverUndos(services, { once: true, quiet: true })
  const ended = abortInterrupted(services)
  let found = answers || insists() ? await unlessStopped(services, lookAround(services), nothing) : nothing
  while (undoMirror && !found.listed && insists()) {
    await clock.sleep(patienceMs, services.shutdown.requested).catch(() => {})
    if (services.shutdown.requested.aborted) break
    found = await unlessStopped(services, lookAround(services), nothing)
  }
  const tried = new Set(own.filter(({ result }) => result === 'done' || result === 'failed').map(({ undo }) => undo.id))
  const left = services.journal.pendingUndos().flatMap(({ id }) => (tried.has(id) ? [] : [id]))
  const others = await recoverUndos(services, { once: true, quiet: true, only: left })
  const undos = merge(own, others, found)
  reportRecovered(services, undos)
  const interrupted = [...ended, ...found.interrupted, ...abortInterrupted(services)]
  if (answers) await withPatience(clock, sweepMirror(services))
  return { undos, interrupted, isComplete: answers && found.listed !== undefined }
}

/** The same after a process that led before: it counts as gone, as long as we lead. */
export async function takeOver(services: Services, { processes, runs, isLeading }: Inheritance): Promise<Recovery> {
  const others = processes.filter((process) => process !== services.process.id)
  const reinstate = others.map((process) => services.owners.depose(process, isLeading))
  const reason = 'the leader before this one did not finish it'
  const { instance } = services.config()
  const interrupted: RunRecord[] = []
  for (const { run, startedAt, process, observersDue } of runs) {
    if (process === services.process.id) continue
    try {
      const adopted = adoptRun(services, run, { instance, startedAt, process, reason, observersDue })
      if (adopted) interrupted.push(adopted)
    } catch (error) {
      services.log.error(`an interrupted run could not be recorded: ${reasonOf(error)}`, { run: run.id, error })
    }
  }
  try {
    const recovery = await recoverAll(services, isLeading)
    return { ...recovery, interrupted: [...interrupted, ...recovery.interrupted] }
  } finally {
    for (const end of reinstate) end()
  }
}

/**
 * Looks whether somebody has died since the last look, and insists on what is found; what was tried before is left to
 * the next start.
 */
export async function recoverOrphans(services: Services, tried: Set<string>): Promise<Recovery> {
  const found = await unlessStopped(services, lookAround(services), undefined)
  if (!found) return { undos: [], interrupted: [], isComplete: false }
  const { journal, process, heldUndos } = services
  for (const id of tried) await settleElsewhere(services, id, found)
  const fresh = journal
    .pendingUndos()
    .filter((undo) => undo.process !== process.id && !tried.has(undo.id) && !heldUndos.has(undo.id))
  const ids = fresh.map(({ id }) => id)
  const undos = ids.length === 0 ? [] : await recoverUndos(services, { once: false, quiet: true, only: ids })
  for (const { undo, result } of undos) if (result === 'failed') tried.add(undo.id)
  reportRecovered(
    services,
    merge(undos, [], found).filter(({ result }) => result !== 'alive'),
  )
  const interrupted = [...found.interrupted, ...abortInterrupted(services)]
  if (interrupted.length > 0 && !services.shutdown.requested.aborted) await observeInterrupted(services)
  await unlessStopped(services, sweepMirror(services), undefined)
  return { undos, interrupted, isComplete: found.listed !== undefined }
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

/** Asks the cluster about everybody who owns something. */
async function lookAround(services: Services): Promise<Adoption> {
  await services.undoMirror?.prepare({ insists: true })
  await askForOwners(services)
  return adoptOrphans(services)
}

async function askForOwners({ owners, journal }: Services): Promise<void> {
  const inJournal = new Set([
    ...journal.pendingUndos().map(({ process }) => process),
    ...journal.openRuns().map(({ process }) => process),
  ])
  await owners.refresh([...inJournal].flatMap((id) => journal.process(id) ?? []))
}

/** What we could not do, another pod may have done. */
async function settleElsewhere({ undoMirror, journal, log }: Services, id: string, found: Adoption): Promise<void> {
  const pending = journal.undo(id)
  if (!undoMirror || pending?.state !== 'armed' || found.listed?.has(id) !== false) return
  if ((await undoMirror.standing(id)) !== 'done') return
  journal.settleUndo(id, 'done', 'another pod took it over')
  log.info(`another pod has given back "${pending.undo}"`, { plan: pending.plan, run: pending.run })
}

async function sweepMirror({ undoMirror, log }: Services): Promise<void> {
  try {
    await undoMirror?.sweep()
  } catch (error) {
    log.debug(`claims in the cluster could not be swept: ${reasonOf(error)}`, { error })
  }
}

function merge(
  first: readonly RecoveredUndo[],
  second: readonly RecoveredUndo[],
  { unknown }: Pick<Adoption, 'unknown'>,
): readonly RecoveredUndo[] {
  const results = new Map([...first, ...second].map((each) => [each.undo.id, each]))
  for (const undo of unknown) results.set(undo.id, { undo, result: 'unknown' })
  return [...results.values()]
}

/** Whoever is told to stop waits for the API server no longer: what is asked then is asked for others. */
async function unlessStopped<T, Else>({ shutdown }: Services, work: Promise<T>, otherwise: Else): Promise<T | Else> {
  const { requested } = shutdown
  if (requested.aborted) return Promise.race([work, otherwise])
  const stopped = Promise.withResolvers<Else>()
  const stop = (): void => stopped.resolve(otherwise)
  requested.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, stopped.promise])
  } finally {
    requested.removeEventListener('abort', stop)
  }
}

/** Waits for a second at most. @returns whether it was done in time; else it goes on */
export async function withPatience(clock: Services['clock'], work: Promise<void>): Promise<boolean> {
  const enough = Promise.withResolvers<false>()
  const cancel = clock.setTimer(patienceMs, () => enough.resolve(false))
  const isDone = await Promise.race([work.then(() => true), enough.promise])
  cancel()
  return isDone
}
