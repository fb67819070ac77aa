import {
  formatDuration,
  type DrillChoice,
  type DrillContext,
  type HoldfastError,
  type Json,
  type Outcome,
  type Run,
  type TargetOutcome,
} from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { armUndo } from '../lifecycle/arm-undo.ts'
import { artifactOf } from '../lifecycle/builtins.ts'
import { createBegunWork, settled } from '../lifecycle/begun-work.ts'
import { callWithDeadline } from '../lifecycle/call.ts'
import { runContext } from '../lifecycle/contexts.ts'
import { extend, type RunCallSite } from '../lifecycle/service-context.ts'
import { linkSignals } from '../lifecycle/signals.ts'
import { executeTask, type TaskCall } from '../lifecycle/task.ts'
import type { ResolvedDrill } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { chooseBackup } from './choose-backup.ts'
import { cleanupUndoName, writeWhere, type CleanupInput } from './cleanup-undo.ts'
import { doStep } from './drill-step.ts'
import { expectationFailure, restoreFailure } from './drill-failures.ts'
import { fillOptions } from './drill-options.ts'
import { findBackups, type FoundBackup } from './find-backups.ts'
import { withPointsOf } from './held-points.ts'
import { restoreBackup, type RestoredPart } from './restore-backup.ts'
import { validateDrill } from './validate-drill.ts'
import { makeScratch, scratchOf, scratchRoot, suffixOf } from './scratch.ts'

/** How a drill is run. */
export interface ExecuteDrillOptions {
  readonly drill: ResolvedDrill
  /** Default: now. */
  readonly scheduledFor?: Date | undefined
  /** Cancels it. */
  readonly signal?: AbortSignal | undefined
  /** From 0 to less than 1. Default: the machine's. */
  readonly random?: (() => number) | undefined
  /** Why it must do nothing. */
  readonly refused?: HoldfastError | undefined
}

/** A drill that ended. */
export interface DrillResult {
  readonly run: Run
  readonly outcome: Outcome
  /** What was restored, and where it was until it was cleaned up. */
  readonly restored: readonly { readonly point: DrillChoice['point']; readonly where: Json }[]
}

/** Choosing reads the manifests of a plan, or asks a plugin. */
const chooseMs = 10 * 60_000

/**
 * Restores a backup into a scratch place, looks whether it is what it should be, and cleans up: a run of its own, always with
 * one outcome. Takes no lock of its plan's runs. Never rejects.
 */
export async function executeDrill(services: Services, options: ExecuteDrillOptions): Promise<DrillResult> {
  const { drill, scheduledFor } = options
  const progress: DrillProgress = { restored: [] }
  const cancelled = linkSignals([])
  const cancel = (): void => cancelled.abort(errors.RUN_ABORTED({ reason: reasonOf(options.signal?.reason) }))
  options.signal?.addEventListener('abort', cancel, { once: true })
  if (options.signal?.aborted) cancel()
  const { run, outcome } = await executeTask(services, {
    plan: drill.plan.name,
    drill: drill.name,
    trigger: 'drill',
    scheduledFor,
    budgetMs: drill.budgetMs,
    signal: cancelled.signal,
    body: async (call) => {
      if (options.refused) throw options.refused
      await practise(services, call, options, progress)
      return null
    },
    targets: (error) => targetsOf(progress, error),
    observedBy: drill.plan,
  })
  cancelled.close()
  options.signal?.removeEventListener('abort', cancel)
  return { run, outcome, restored: progress.restored.map(({ point, where }) => ({ point, where })) }
}

/** How far a drill has come. */
interface DrillProgress {
  backup?: FoundBackup
  restored: readonly RestoredPart[]
}

async function practise(
  services: Services,
  call: TaskCall,
  options: ExecuteDrillOptions,
  progress: DrillProgress,
): Promise<void> {
  const { drill } = options
  // Rather than after hours of restoring.
  const [problem] = await validateDrill(services, drill, call.signal)
  if (problem) throw problem
  const chosen = await choose(services, call, options)
  const { backup, directory, root, choice } = chosen
  progress.backup = backup
  const { target, points, point } = choice
  services.emit({ type: 'backup-chosen', run: call.run, target, points })
  await makeScratch(directory, root)
  const isStored = artifactOf(point) !== undefined
  progress.restored = await doStep(services, call, {
    name: 'restore',
    participant: backup.restorer?.id ?? drill.participant.id,
    target,
    timeoutMs: drill.budgetMs,
    body: (inner) => restoreBackup(services, inner, { ...chosen, points, plan: drill.plan, restorer: backup.restorer }),
    failure: (thrown, signal) =>
      restoreFailure(services, { drill: drill.name, point: point.id, isStored }, thrown, signal),
  })
  const [first] = progress.restored
  await writeWhere(call.vars, first?.where)
  await doStep(services, call, {
    name: 'expect',
    participant: drill.participant.id,
    target,
    timeoutMs: drill.expectMs,
    async body(inner) {
      const restored = progress.restored.map(({ point: each, where }) => ({ point: each, where }))
      const begun = createBegunWork(services, inner)
      const base = runContext({ ...siteOf(services, inner, drill, 'expect'), begun })
      const ctx: DrillContext = extend(base, { ...choice, options: chosen.options, where: first?.where, restored })
      if ((await settled(begun, () => drill.expect.run(ctx))) === false) throw new Error('it answered false')
    },
    failure: (thrown) => expectationFailure(drill.name, point.id, thrown),
  })
}

/** What is restored, and what it was named. */
interface Chosen {
  readonly backup: FoundBackup
  readonly choice: DrillChoice
  readonly options: Readonly<Record<string, string>>
  readonly directory: string
  /** Of the directory. */
  readonly root: string
}

/**
 * Chooses what is restored, and arms what cleans up after it. Both while nobody prunes the plan: what is armed says what is
 * being read, so from then on nobody removes it.
 */
async function choose(services: Services, call: TaskCall, options: ExecuteDrillOptions): Promise<Chosen> {
  const { drill, random = Math.random } = options
  const { name, plan, select, target } = drill
  const { run } = call
  const owner = `drill ${name}, which chooses`
  const found: Chosen[] = []
  const work = async (signal: AbortSignal): Promise<void> => {
    const chosen = chooseBackup(await findBackups(services, drill, signal), { select, target, random })
    const what = `plan "${plan.name}" has no restore point${target === undefined ? '' : ` of target "${target}"`}`
    if (!chosen) throw errors.DRILL_NO_BACKUP({ drill: name, what })
    const backup = chosen.backup as FoundBackup
    for (const each of chosen.passedOver) {
      const ids = each.points.map(({ id }) => id).join(', ')
      services.log.warn(`drill "${name}" passes over what nobody has read back yet, or is a part only: ${ids}`, {
        run: run.id,
      })
    }
    const [point] = backup.points
    if (backup.damage !== undefined || !point) {
      const id = point?.id ?? `the backup of "${backup.target}" of ${backup.at.toISOString()}`
      throw errors.DRILL_BACKUP_DAMAGED({ drill: name, point: id, reason: backup.damage ?? 'nothing of it is left' })
    }
    const root = drill.scratch ?? scratchRoot(services.stateDirectory)
    const place = { drill: name, run, directory: scratchOf(root, run.id), suffix: suffixOf(run.id) }
    const choice: DrillChoice = { ...place, target: backup.target, point, points: backup.points }
    const given = typeof drill.options === 'function' ? await drill.options(choice) : drill.options
    const filled = fillOptions(given, place)
    signal.throwIfAborted()
    const input: CleanupInput = {
      target: backup.target,
      directory: place.directory,
      suffix: place.suffix,
      options: filled,
      points: backup.points.map(({ id }) => id),
    }
    await armUndo(siteOf(services, call, drill, 'restore'), cleanupUndoName, { ...input })
    found.push({ backup, choice, options: filled, directory: place.directory, root })
  }
  await withPointsOf(services, plan.name, { owner, signal: call.signal }, () =>
    callWithDeadline(work, {
      clock: services.clock,
      where: `the search of drill "${name}" for a backup`,
      timeoutMs: chooseMs,
      parents: [call.signal],
      hurried: services.shutdown.abandoned,
    }).catch((error: unknown) => {
      // Not the drill's whole budget.
      const isLate = (error as { code?: string } | undefined)?.code === 'HOOK_TIMEOUT' && !call.signal.aborted
      if (!isLate) throw error
      throw errors.DRILL_NO_BACKUP(
        { drill: name, what: `it found none within ${formatDuration(chooseMs)}` },
        { cause: error },
      )
    }),
  )
  return found[0] as Chosen
}

function siteOf(services: Services, call: TaskCall, drill: ResolvedDrill, hook: string): RunCallSite {
  const { plan, participant } = drill
  return { ...call, services, plan, participant, hook, startedAt: services.clock.now() }
}

function targetsOf({ backup, restored }: DrillProgress, error: HoldfastError | undefined): readonly TargetOutcome[] {
  if (!backup) return []
  const { target, points } = backup
  const isWhole = restored.length > 0 && restored.every(({ isProven }) => isProven !== false)
  const status = error === undefined ? 'succeeded' : error.code === 'RUN_ABORTED' ? 'aborted' : 'failed'
  return [
    {
      target: { id: target, labels: {}, data: null },
      status,
      verification: isWhole && status === 'succeeded' ? 'verified' : 'unverified',
      points,
      reason: `${restored.length > 0 ? 'restored' : 'did not restore'} ${points.map(({ id }) => id).join(', ')}`,
      error,
    },
  ]
}
