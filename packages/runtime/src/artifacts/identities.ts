import type { SecretRef } from '@holdfast/sdk'
import type { ResolvedPlan } from '../load/resolved.ts'

/**
 * What artifacts of a plan are opened with. A plan whose key is elsewhere, on purpose, is not tried with that of another;
 * of one that is gone any may fit.
 *
 * @param plans - those of the configuration
 * @returns the references, by the name of a plan
 */
export function identitiesIn(
  plans: readonly Pick<ResolvedPlan, 'name' | 'encoding'>[],
): (plan: string) => readonly SecretRef[] {
  return (name) => {
    const own = plans.filter((plan) => plan.name === name)
    return (own.length > 0 ? own : plans).flatMap(({ encoding }) => encoding.identity ?? [])
  }
}
