import { mkdirSync, rmSync } from 'node:fs'
import {
  formatDuration,
  type HoldfastError,
  type Json,
  type Outcome,
  type RestorePoint,
  type Run,
  type Vars,
} from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf, recordFailure, toFailure } from '../failure.ts'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { createVars } from '../vars.ts'
import { callWithDeadline } from './call.ts'
import { runContext } from './contexts.ts'
import { varsDirectoryOf } from './execute.ts'
import { quietly } from '../journal/quietly.ts'
import { newRunId } from './run-id.ts'
import { Scope } from './scope.ts'

/** What a restore is made with. */
export interface RestoreCall {
  readonly run: Run
  readonly vars: Vars
  readonly signal: AbortSignal
  readonly scope: Scope
}

/** A restore that is asked for. */
export interface RestoreRequest {
  /** The plan that made what is restored. */
  readonly plan: string
  /** What it is a run of: a restore (default), or a plugin's own command. */
  readonly trigger?: 'restore' | 'command' | undefined
  /** The longest it may take, in milliseconds. */
  readonly budgetMs: number
  /** Aborts this restore alone. */
  readonly signal?: AbortSignal | undefined
  /** Does it. @returns where it was restored to */
  body(call: RestoreCall): Promise<Json>
}

/** A restore that ended. */
export interface RestoreResult {
  readonly run: Run
  readonly outcome: Outcome
  /** Where it was restored to; `undefined` unless it succeeded. */
  readonly where: Json
}

/** Restores as a run: journalled, within a budget, with undos and variables of its own. Never rejects. */
export async function executeRestore(services: Services, request: RestoreRequest): Promise<RestoreResult> {
  const { plan, budgetMs, trigger = 'restore' } = request
  const { clock, journal, shutdown, emit } = services
  const now = clock.now()
  const run: Run = { id: newRunId(now), plan, attempt: 1, scheduledFor: now, trigger, dryRun: false }
  const began = clock.monotonic()
  const scope = new Scope(services)
  const directory = varsDirectoryOf(services.stateDirectory, run.id)
  let where: Json
  let error: HoldfastError | undefined
  emit({ type: 'run-started', run, at: now })
  try {
    try {
      journal.beginRun(run, services.config().instance, services.process.id)
      mkdirSync(directory, { recursive: true, mode: 0o700 })
    } catch (cause) {
      throw errors.STATE_UNWRITABLE({ path: services.stateDirectory, reason: reasonOf(cause) }, { cause })
    }
    await callWithDeadline(
      async (signal) => {
        where = await request.body({ run, vars: createVars(directory), signal, scope })
      },
      {
        clock,
        where: trigger === 'restore' ? `the restore from plan "${plan}"` : `the command of plan "${plan}"`,
        timeoutMs: budgetMs,
        parents: [shutdown.requested, ...(request.signal ? [request.signal] : [])],
        hurried: shutdown.abandoned,
      },
    )
  } catch (thrown) {
    error = toFailure(thrown, { run: run.id })
  }
  const warnings = (await scope.close()).map((failure) => toFailure(failure, { run: run.id }))
  error ??= warnings.shift()
  if (error?.code === 'HOOK_TIMEOUT') error = errors.RUN_BUDGET({ budget: formatDuration(budgetMs) }, { cause: error })
  const status = error === undefined ? 'succeeded' : error.code === 'RUN_ABORTED' ? 'aborted' : 'failed'
  const outcome: Outcome = { status, targets: [], error, warnings }
  const durationMs = clock.monotonic() - began
  quietly(services, () =>
    journal.endRun(run.id, {
      status,
      error: error && recordFailure(error),
      warnings: warnings.map(recordFailure),
      durationMs,
    }),
  )
  if (!quietly(services, () => journal.pendingUndos().some((undo) => undo.run === run.id))) {
    rmSync(directory, { recursive: true, force: true })
  }
  emit({ type: 'run-ended', run, outcome, status, durationMs })
  return { run, outcome, where: error === undefined ? where : undefined }
}

/** What a plugin restores, and how its user wants it. */
export interface PluginRestoreOptions {
  readonly plan: ResolvedPlan
  /** Has a `restore` definition. */
  readonly participant: Participant
  readonly point: RestorePoint
  /** `--to key=value …`, not validated yet. */
  readonly options: Readonly<Record<string, string>>
  readonly force: boolean
}

/**
 * The body of a restore by a plugin.
 *
 * @throws HoldfastError `RESTORE_UNSUPPORTED`, `RESTORE_OPTIONS`, or what the plugin threw
 */
export async function restoreByPlugin(
  services: Services,
  call: RestoreCall,
  { plan, participant, point, options, force }: PluginRestoreOptions,
): Promise<Json> {
  const { restore } = participant
  if (!restore) throw errors.RESTORE_UNSUPPORTED({ plugin: participant.id })
  const checked = await restore.options['~standard'].validate(options)
  if (checked.issues) {
    const reason = checked.issues.map(({ message, path = [] }) => {
      const keys = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
      return keys === '' ? message : `${keys}: ${message}`
    })
    throw errors.RESTORE_OPTIONS({ plugin: participant.id, reason: reason.join('; ') })
  }
  const base = runContext({ ...call, services, plan, participant, hook: 'restore', startedAt: services.clock.now() })
  const ctx = Object.defineProperties(base, {
    point: { value: point, enumerable: true },
    options: { value: checked.value, enumerable: true },
    force: { value: force, enumerable: true },
    openArtifact: { value: (id: string) => services.store().open(id, { signal: call.signal }), enumerable: true },
  }) as Parameters<typeof restore.run>[0]
  const { where } = await restore.run(ctx)
  return where
}
