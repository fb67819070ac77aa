import { setImmediate } from 'node:timers/promises'
import type { CheckContext, Target } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import { kindOf } from '../load/schema-issue.ts'
import type { Services } from '../services.ts'
import { callWithDeadline } from './call.ts'
import { checkContext } from './contexts.ts'
import type { TargetState } from './outcome.ts'
import { Scope } from './scope.ts'

const findTimeoutMs = 10 * 60_000

/**
 * Looks for targets, but not for ever.
 *
 * @throws HoldfastError as {@link findTargets}, `HOOK_TIMEOUT`, `HOOK_ABANDONED`
 */
export async function discoverTargets(
  services: Services,
  plan: ResolvedPlan,
  options: {
    readonly phase: CheckContext<unknown>['phase']
    readonly signal: AbortSignal
    readonly only?: readonly string[] | undefined
  },
): Promise<readonly TargetState[]> {
  const { phase, only } = options
  const scope = new Scope(services)
  let found: readonly TargetState[] = []
  try {
    await callWithDeadline(
      async (signal) => {
        const contextFor = (participant: Participant): CheckContext<unknown> =>
          checkContext({ services, plan, participant, hook: 'targets', signal, scope }, phase)
        found = await findTargets(plan, contextFor, only, signal)
      },
      {
        clock: services.clock,
        where: `the search for targets of plan "${plan.name}"`,
        timeoutMs: findTimeoutMs,
        parents: [options.signal],
        hurried: services.shutdown.abandoned,
      },
    )
  } finally {
    await scope.close()
  }
  return found
}

/**
 * Finds what a run backs up: each participant with a `backups` hook has targets, one named after it unless it finds
 * its own.
 *
 * @param contextFor - the context in which a participant looks
 * @param only - ids asked for by the user; default all
 * @param signal - gives up
 * @throws HoldfastError `TARGET_INVALID`, `TARGET_DUPLICATE`, `TARGET_UNKNOWN`, or what a participant threw
 */
async function findTargets(
  plan: ResolvedPlan,
  contextFor: (participant: Participant) => CheckContext<unknown>,
  only: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<TargetState[]> {
  const found = new Map<string, TargetState>()
  for (const participant of plan.participants) {
    if (!participant.hooks.backups) continue
    for await (const target of targetsOf(participant, contextFor)) {
      // A generator that never ends must not keep the deadline's timer from running.
      if (found.size % 1000 === 999) await setImmediate()
      signal.throwIfAborted()
      const wrong = whatIsWrong(target)
      if (wrong !== undefined) throw errors.TARGET_INVALID({ plugin: participant.id, reason: wrong })
      if (found.has(target.id)) throw errors.TARGET_DUPLICATE({ target: target.id })
      found.set(target.id, {
        target,
        owner: participant,
        status: 'pending',
        verification: 'not-applicable',
        points: [],
        leftBehind: [],
        reason: undefined,
        error: undefined,
      })
    }
  }
  if (!only || only.length === 0) return [...found.values()]
  return [...new Set(only)].map((id) => {
    const state = found.get(id)
    if (!state)
      throw errors.TARGET_UNKNOWN({ target: id, plan: plan.name, known: [...found.keys()].join(', ') || 'none' })
    return state
  })
}

/** Of a plugin in JavaScript, or with a cast. */
function whatIsWrong(target: unknown): string | undefined {
  if (typeof target !== 'object' || target === null) return `that is ${kindOf(target)}`
  const { id } = target as { readonly id?: unknown }
  if (typeof id !== 'string') return `whose id is ${kindOf(id)}`
  return id === '' ? 'whose id is empty' : undefined
}

async function* targetsOf(
  participant: Participant,
  contextFor: (participant: Participant) => CheckContext<unknown>,
): AsyncGenerator<Target> {
  if (!participant.targets) yield { id: participant.id, labels: {}, data: null }
  else yield* await participant.targets(contextFor(participant))
}
