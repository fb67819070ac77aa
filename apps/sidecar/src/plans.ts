import { errors as runtimeErrors, type ResolvedConfig, type ResolvedPlan } from '@holdfast/runtime'

/**
 * The plan of this name.
 *
 * @throws HoldfastError `PLAN_UNKNOWN`
 */
export function planNamed({ plans }: ResolvedConfig, name: string): ResolvedPlan {
  const found = plans.find((plan) => plan.name === name)
  if (found) return found
  throw runtimeErrors.PLAN_UNKNOWN({ plan: name, known: plans.map((plan) => plan.name).join(', ') || 'none' })
}

/** The plan of this name, or all of them. */
export function plansNamed(config: ResolvedConfig, name: string | undefined): readonly ResolvedPlan[] {
  return name === undefined ? config.plans : [planNamed(config, name)]
}
