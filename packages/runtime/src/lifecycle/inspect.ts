// Looking at a plan without running it: `holdfast validate`, `holdfast plan`, and the daemon's check at load.
import {
  parseDuration,
  type CheckContext,
  type HoldfastError,
  type PlannedStep,
  type RestorePoint,
  type Run,
} from '@holdfast/sdk'
import type { KeptPoint } from '../artifacts/retention.ts'
import { reasonOf, toFailure } from '../failure.ts'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { createVars } from '../vars.ts'
import { findExpired } from './builtins.ts'
import { createBegunWork, settled } from './begun-work.ts'
import { callWithDeadline } from './call.ts'
import { checkContext, runContext } from './contexts.ts'
import { describeTarget } from './describe.ts'
import { varsDirectoryOf } from './execute.ts'
import type { TargetState } from './outcome.ts'
import { lifecyclePolicy } from './policy.ts'
import { Scope } from './scope.ts'
import { discoverTargets } from './targets.ts'

/** What a run would do for one target. */
export interface InspectedTarget {
  readonly id: string
  readonly steps: readonly PlannedStep[]
  /** All of its restore points that are known here, newest first. */
  readonly points: readonly RestorePoint[]
  /** What the plan's retention would let go. */
  readonly expired: readonly RestorePoint[]
  /** Why the others stay; empty where the plan has no retention. */
  readonly kept: readonly KeptPoint[]
}

/**
 * Calls the `validate` hooks of a plan outside a run.
 *
 * @returns everything that they have to say against it
 */
export async function validatePlan(
  services: Services,
  plan: ResolvedPlan,
  phase: CheckContext<unknown>['phase'],
  signal: AbortSignal,
): Promise<readonly HoldfastError[]> {
  const check = async (participant: Participant): Promise<readonly HoldfastError[]> => {
    const hook = participant.hooks.validate
    if (!hook) return []
    const scope = new Scope(services)
    const context = { plugin: participant.id, hook: 'validate' }
    try {
      await callWithDeadline(
        (deadline) => {
          const warn = (failure: unknown): void => services.log.warn(reasonOf(failure), { error: failure, ...context })
          const begun = createBegunWork(services, { signal: deadline, scope, warn })
          const site = { services, plan, participant, hook: 'validate', signal: deadline, scope, begun }
          return settled(begun, () => hook.handler(checkContext(site, phase)))
        },
        {
          clock: services.clock,
          where: `validate of "${participant.id}"`,
          timeoutMs: hook.timeoutMs ?? parseDuration(lifecyclePolicy.validate.timeout),
          parents: [signal],
          hurried: services.shutdown.abandoned,
        },
      )
      return []
    } catch (error) {
      return [toFailure(error, context)]
    } finally {
      await scope.close()
    }
  }
  return (await Promise.all(plan.participants.map(check))).flat()
}

/**
 * Finds a plan's targets, and what a run would do for each. Calls nothing that has effects.
 *
 * @throws HoldfastError `TARGET_DUPLICATE`, or what a participant threw
 */
export async function inspectPlan(
  services: Services,
  plan: ResolvedPlan,
  signal: AbortSignal,
): Promise<readonly InspectedTarget[]> {
  const scope = new Scope(services)
  try {
    const found = await discoverTargets(services, plan, { phase: 'command', signal })
    const inspected: InspectedTarget[] = []
    for (const state of found) {
      const steps = await describeTarget(services, plan, state, signal)
      const external = externalPoints(services, plan, state, signal, scope)
      inspected.push({ id: state.target.id, steps, ...(await findExpired(services, plan, state.target, external)) })
    }
    return inspected
  } finally {
    await scope.close()
  }
}

async function* externalPoints(
  services: Services,
  plan: ResolvedPlan,
  { owner, target }: TargetState,
  signal: AbortSignal,
  scope: Scope,
): AsyncGenerator<RestorePoint> {
  if (!owner.restore?.points) yield* services.journal.externalPoints(plan.name, target.id)
  else yield* pointsOf({ services, plan, participant: owner, signal, scope }, { target: target.id, forRetention: true })
}

/**
 * What a plugin can restore that is not in the store, as it says itself. Changes nothing.
 *
 * @returns nothing for a plugin that doesn't say
 * @throws what the plugin threw
 */
export async function listExternalPoints(
  services: Services,
  plan: ResolvedPlan,
  participant: Participant,
  filter: { readonly target?: string; readonly forRetention?: boolean },
  signal: AbortSignal,
): Promise<readonly RestorePoint[]> {
  const scope = new Scope(services)
  const found: RestorePoint[] = []
  try {
    for await (const point of pointsOf({ services, plan, participant, signal, scope }, filter)) found.push(point)
  } finally {
    await scope.close()
  }
  return found
}

async function* pointsOf(
  site: {
    readonly services: Services
    readonly plan: ResolvedPlan
    readonly participant: Participant
    readonly signal: AbortSignal
    readonly scope: Scope
  },
  filter: { readonly target?: string; readonly forRetention?: boolean },
): AsyncGenerator<RestorePoint> {
  const { services, plan, participant } = site
  if (!participant.restore?.points) return
  const now = services.clock.now()
  const run: Run = { id: 'none', plan: plan.name, attempt: 1, scheduledFor: now, trigger: 'manual', dryRun: true }
  const vars = createVars(varsDirectoryOf(services.stateDirectory, run.id))
  yield* participant.restore.points(runContext({ ...site, hook: 'plan', run, vars, startedAt: now }), filter)
}
