import type { HoldfastError, Outcome, RestorePoint, Run, RunStatus, Target, TargetOutcome } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'

/** One target of a run under way. */
export interface TargetState {
  readonly target: Target
  /** Whose target it is. */
  readonly owner: Participant
  status: 'pending' | TargetOutcome['status']
  verification: TargetOutcome['verification']
  points: RestorePoint[]
  /** What failed attempts of this run have stored for it: replaced when the same is stored again. */
  leftBehind: RestorePoint[]
  /** Why it was skipped. */
  reason: string | undefined
  error: HoldfastError | undefined
}

/** A run under way. */
export interface RunState {
  readonly run: Run
  readonly plan: ResolvedPlan
  readonly targets: TargetState[]
  /** The first failure of a run-level hook; never set once the run was aborted. */
  runError: HoldfastError | undefined
  /** Set on shutdown or cancel. */
  aborted: HoldfastError | undefined
  /** Set when the run ends before it began. */
  skipped: { readonly reason: string; readonly error: HoldfastError } | undefined
  readonly warnings: HoldfastError[]
  /** Names of the copies that lack something. */
  readonly copiesBehind: string[]
  /** Set when the store has lost what earlier runs left there. */
  storeEmptied: HoldfastError | undefined
  /** How it ended in an earlier process; only its observers are still to be called. */
  readonly ended?: Outcome | undefined
}

/** A run that has not begun. */
export function newRunState(run: Run, plan: ResolvedPlan): RunState {
  return {
    run,
    plan,
    targets: [],
    runError: undefined,
    aborted: undefined,
    skipped: undefined,
    warnings: [],
    copiesBehind: [],
    storeEmptied: undefined,
  }
}

/** Notes a run-level failure. The first one is primary; later ones are attached, never replace it. */
export function noteFailure(state: RunState, error: HoldfastError): void {
  const primary = state.runError ?? state.aborted
  if (!primary) state.runError = error
  else if (primary.code !== error.code || primary.message !== error.message) state.warnings.push(error)
}

/** Notes that the run was cut short. */
export function noteAbort(state: RunState, error: HoldfastError): void {
  if (state.aborted) return
  state.aborted = error
  if (state.runError) state.warnings.push(error)
}

/** Whether a run-level hook failed or the run was cut short: most later hooks are skipped then. */
export function hasFailed(state: RunState): boolean {
  return state.runError !== undefined || state.aborted !== undefined || state.skipped !== undefined
}

/** The result algebra (DESIGN §4): what a run is, from what became of its hooks and targets. */
export function outcomeOf(state: RunState): Outcome {
  const { storeEmptied } = state
  if (state.ended) return { ...state.ended, warnings: [...state.warnings] }
  const targets = state.targets.map(targetOutcomeOf)
  const { status, reason, error } = statusOf(state, targets)
  const warnings = [...(storeEmptied && error !== storeEmptied ? [storeEmptied] : []), ...state.warnings]
  return { status, reason, targets, error, warnings }
}

type Status = {
  readonly status: RunStatus
  readonly reason?: string | undefined
  readonly error?: HoldfastError | undefined
}

function statusOf(state: RunState, targets: readonly TargetOutcome[]): Status {
  const { plan, run } = state
  if (state.skipped) return { status: 'skipped', reason: state.skipped.reason, error: state.skipped.error }
  if (state.aborted) return { status: 'aborted', error: state.runError ?? state.aborted }
  if (state.runError) return { status: 'failed', error: state.runError }
  if (run.dryRun) return { status: 'succeeded', reason: 'dry-run' }
  if (plan.maintenance || run.trigger === 'boot') return { status: 'succeeded' }
  const firstError = state.targets.find(({ error }) => error)?.error
  const succeeded = targets.filter(({ status }) => status === 'succeeded')
  const failed = targets.filter(({ status }) => status === 'failed' || status === 'aborted')
  if (succeeded.length === 0 && failed.length === 0) {
    if (plan.allowEmpty) return { status: 'succeeded', reason: 'empty' }
    const error =
      targets.length === 0 ? errors.NO_TARGETS({ plan: plan.name }) : errors.ALL_TARGETS_SKIPPED({ plan: plan.name })
    return { status: 'failed', error }
  }
  if (succeeded.length === 0) return { status: 'failed', error: firstError }
  if (failed.length > 0) return { status: 'partial', error: firstError }
  const unsure = succeeded.find(({ verification, points }) => verification === 'unverified' || points.some(isSuspect))
  if (unsure) return { status: 'partial', error: firstError ?? errors.TARGET_SUSPECT({ target: unsure.target.id }) }
  if (state.storeEmptied) return { status: 'partial', error: state.storeEmptied }
  if (state.copiesBehind.length === 0) return { status: 'succeeded' }
  const error = errors.COPIES_INCOMPLETE({ plan: plan.name, copies: state.copiesBehind.join(', ') })
  return { status: 'partial', reason: behindReason, error }
}

/** Every target was backed up and can be read back, but a copy lacks something: running again would help the copy only. */
export const behindReason = 'copies'

/** Whether a point was committed but asks for a look. */
export function isSuspect(point: RestorePoint): boolean {
  return point.state === 'suspect'
}

/** How one target stands. */
export function targetOutcomeOf(state: TargetState): TargetOutcome {
  const { target, status, verification, points, reason, error } = state
  // A target that never came to its turn was not backed up.
  return { target, status: status === 'pending' ? 'aborted' : status, verification, points: [...points], reason, error }
}

/** The exit code of `holdfast run` for each status; `aborted` is refined by the signal. */
export const exitCodes: Readonly<Record<RunStatus, number>> = {
  succeeded: 0,
  failed: 1,
  partial: 4,
  skipped: 75,
  aborted: 143,
}
