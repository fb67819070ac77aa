import type { CheckContext, Target } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import type { TargetState } from './outcome.ts'

/**
 * Finds what a run backs up: each participant with a `backups` hook has targets, one named after it unless it finds
 * its own.
 *
 * @param contextFor - the context in which a participant looks
 * @param only - ids asked for by the user; default all
 * @throws HoldfastError `TARGET_DUPLICATE`, `TARGET_UNKNOWN`, or what a participant threw
 */
export async function findTargets(
  plan: ResolvedPlan,
  contextFor: (participant: Participant) => CheckContext<unknown>,
  only?: readonly string[],
): Promise<TargetState[]> {
  const found = new Map<string, TargetState>()
  for (const participant of plan.participants) {
    if (!participant.hooks.backups) continue
    for await (const target of targetsOf(participant, contextFor)) {
      if (found.has(target.id)) throw errors.TARGET_DUPLICATE({ target: target.id })
      found.set(target.id, {
        target,
        owner: participant,
        status: 'pending',
        verification: 'not-applicable',
        points: [],
        reason: undefined,
        error: undefined,
      })
    }
  }
  if (!only || only.length === 0) return [...found.values()]
  return only.map((id) => {
    const state = found.get(id)
    if (!state)
      throw errors.TARGET_UNKNOWN({ target: id, plan: plan.name, known: [...found.keys()].join(', ') || 'none' })
    return state
  })
}

async function* targetsOf(
  participant: Participant,
  contextFor: (participant: Participant) => CheckContext<unknown>,
): AsyncGenerator<Target> {
  if (!participant.targets) yield { id: participant.id, labels: {}, data: null }
  else yield* await participant.targets(contextFor(participant))
}
