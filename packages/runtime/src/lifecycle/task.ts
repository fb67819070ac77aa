import { mkdirSync } from 'node:fs'
import {
  formatDuration,
  type HoldfastError,
  type Json,
  type Outcome,
  type Run,
  type TargetOutcome,
  type Vars,
} from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf, recordFailure, toFailure } from '../failure.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { createVars } from '../vars.ts'
import { callWithDeadline } from './call.ts'
import { observeRecovered, removeVars, varsDirectoryOf } from './execute.ts'
import { quietly } from '../journal/quietly.ts'
import { newRunId } from './run-id.ts'
import { Scope } from './scope.ts'

/** What a task works with. */
export interface TaskCall {
  readonly run: Run
  readonly vars: Vars
  readonly signal: AbortSignal
  readonly scope: Scope
  /** Says what is odd, in the outcome, but changes nothing else. */
  warn(failure: HoldfastError): void
}

/** One thing to do as a run of its own: a restore, or a plugin's command. */
export interface TaskRequest {
  /** The plan whose run it is: for a restore, the one that made what is restored. */
  readonly plan: string
  /** What the run is for. Default: a restore. */
  readonly trigger?: 'restore' | 'command' | 'drill' | undefined
  /** The drill that it is a run of. */
  readonly drill?: string | undefined
  /** Default: now. */
  readonly scheduledFor?: Date | undefined
  /** The longest it may take, in milliseconds. */
  readonly budgetMs: number
  /** It looks only, and changes nothing. */
  readonly dryRun?: boolean | undefined
  /** Aborts this task alone. */
  readonly signal?: AbortSignal | undefined
  /** Does it. @returns what came of it: for a restore, where it was restored to */
  body(call: TaskCall): Promise<Json>
  /** What it was about, once it has ended. Default: nothing that would be on record. */
  readonly targets?: ((error: HoldfastError | undefined) => readonly TargetOutcome[]) | undefined
  /** Its `onError` and `onFinish` hear of it, unless it succeeds. */
  readonly observedBy?: ResolvedPlan | undefined
}

/** A task that ended. */
export interface TaskResult {
  readonly run: Run
  readonly outcome: Outcome
  /** What its body returned; `undefined` unless it succeeded. */
  readonly value: Json
}

/** Does one thing as a run: journalled, within a budget, with undos and variables of its own. Never rejects. */
export async function executeTask(services: Services, request: TaskRequest): Promise<TaskResult> {
  const { plan, budgetMs, trigger = 'restore', dryRun = false } = request
  const { clock, journal, shutdown, emit } = services
  const now = clock.now()
  const { drill, scheduledFor = now, observedBy } = request
  const name = { plan, ...(drill !== undefined && { drill }) }
  const run: Run = { ...name, id: newRunId(now), attempt: 1, scheduledFor, trigger, dryRun }
  const began = clock.monotonic()
  const scope = new Scope(services)
  const directory = varsDirectoryOf(services.stateDirectory, run.id)
  const warnings: HoldfastError[] = []
  let value: Json
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
        const warn = (failure: HoldfastError): void => void warnings.push(toFailure(failure, { run: run.id }))
        value = await request.body({ run, vars: createVars(directory), signal, scope, warn })
      },
      {
        clock,
        where: drill === undefined ? `the ${trigger} of plan "${plan}"` : `drill "${drill}"`,
        timeoutMs: budgetMs,
        parents: [shutdown.requested, ...(request.signal ? [request.signal] : [])],
        hurried: shutdown.abandoned,
      },
    )
  } catch (thrown) {
    error = toFailure(thrown, { run: run.id })
  }
  const stuck = (await scope.close()).map((failure) => toFailure(failure, { run: run.id }))
  error ??= stuck.shift()
  warnings.push(...stuck)
  if (error?.code === 'HOOK_TIMEOUT') error = errors.RUN_BUDGET({ budget: formatDuration(budgetMs) }, { cause: error })
  const status = error === undefined ? 'succeeded' : error.code === 'RUN_ABORTED' ? 'aborted' : 'failed'
  const targets = request.targets?.(error) ?? []
  const outcome: Outcome = { status, targets, error, warnings }
  for (const warning of warnings) emit({ type: 'warning', run, error: recordFailure(warning) })
  const durationMs = clock.monotonic() - began
  const observersDue =
    status !== 'succeeded' && observedBy?.participants.some(({ hooks }) => hooks.onError ?? hooks.onFinish)
  for (const target of targets) quietly(services, () => journal.recordTarget(run.id, target))
  quietly(services, () =>
    journal.endRun(run.id, {
      status,
      error: error && recordFailure(error),
      warnings: warnings.map(recordFailure),
      durationMs,
      observersDue,
    }),
  )
  if (observedBy && observersDue) await observeRecovered(services, observedBy, run, { outcome, called: new Set() })
  removeVars(services, run)
  emit({ type: 'run-ended', run, outcome, status, durationMs })
  return { run, outcome, value: error === undefined ? value : undefined }
}
