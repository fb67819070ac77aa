import { errors as runtimeErrors, type ResolvedConfig, type ResolvedCopy, type ResolvedPlan } from '@holdfast/runtime'
import { errors } from './errors.ts'

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

/**
 * Asserts that a plan can be paused by hand.
 *
 * @throws HoldfastError `API_UNSCHEDULED`, `API_PAUSED`
 */
export function assertPausable({ name: plan, schedule }: Pick<ResolvedPlan, 'name' | 'schedule'>): void {
  if (!schedule) throw errors.API_UNSCHEDULED({ plan })
  if (schedule.paused) throw errors.API_PAUSED({ plan })
}

/** The copies of these plans, each once. */
export function copiesIn(plans: readonly Pick<ResolvedPlan, 'copies'>[]): readonly ResolvedCopy[] {
  const all = plans.flatMap(({ copies }) => copies)
  const isSame = (a: ResolvedCopy, b: ResolvedCopy): boolean =>
    a.driver === b.driver || (a.driver.address !== undefined && a.driver.address === b.driver.address)
  return all.filter((copy, index) => all.findIndex((other) => isSame(copy, other)) === index)
}
