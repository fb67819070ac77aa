import type { HoldfastConfig } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { checkShape } from './check-shape.ts'
import type { ResolveContext } from './context.ts'
import { checkPlanName } from './names.ts'
import { isPlainObject } from './plain-object.ts'
import { checkRecipients, resolveEncoding } from './resolve-encoding.ts'
import { resolvePlan, type PlanDraft } from './resolve-plan.ts'
import { checkDriver, openStore } from './resolve-storage.ts'
import type { ResolvedConfig, ResolvedPlan } from './resolved.ts'

/** A configuration, and what the shape of the rest of the engine has no place for. */
export interface ResolvedDraft {
  readonly config: ResolvedConfig
  readonly metrics: HoldfastConfig['metrics']
}

/**
 * Checks a draft from end to end and fills in every default.
 *
 * @returns `undefined` when anything is wrong; everything that is wrong is among the context's problems
 */
export async function resolveConfig(context: ResolveContext): Promise<ResolvedDraft | undefined> {
  const { draft, problems } = context
  const shape = await checkShape(draft.value, problems)
  if (!isPlainObject(draft.value)) return undefined
  const { instance, encoding, metrics } = draft.value as Partial<HoldfastConfig>

  const wrong = typeof instance === 'string' ? checkPlanName('an installation', instance) : undefined
  if (wrong) problems.add(wrong, { path: ['instance'] })
  if (isPlainObject(encoding)) await checkRecipients(encoding['recipients'], ['encoding', 'recipients'], problems)
  const storage = await resolveStorage(draft.value['storage'], context)

  const defaults = resolveEncoding(shape.sound(['encoding']) ? encoding : undefined)
  const plans: ResolvedPlan[] = []
  for (const plan of plansOf(draft.value['plans'], context)) {
    const resolved = await resolvePlan(plan, shape.sound(plan.path), defaults, context)
    if (resolved !== undefined) plans.push(resolved)
  }
  if (problems.problems.length > 0) return undefined
  return { config: { instance: instance ?? 'default', storage, plans, source: draft.source }, metrics }
}

async function resolveStorage(storage: unknown, context: ResolveContext): Promise<ResolvedConfig['storage']> {
  if (storage === undefined) return undefined
  const opened =
    context.draft.form === 'yaml' ? await openStore(storage, context) : checkDriver(storage, 'the configured store')
  if (!('error' in opened)) return opened
  context.problems.add(opened.error, { path: ['storage'], position: opened.position })
  return undefined
}

// Plans are a list with names or a map by name; two of one name are a problem.
function plansOf(plans: unknown, { problems }: ResolveContext): readonly PlanDraft[] {
  if (isPlainObject(plans)) {
    if (Object.keys(plans).length === 0) {
      problems.add(errors.CONFIG_VALUE({ path: 'plans', reason: 'must not be empty' }), { path: ['plans'] })
    }
    return Object.entries(plans).map(([name, value]) => {
      const path = ['plans', name]
      return { name, value, path, namePath: path }
    })
  }
  const names = new Set<unknown>()
  return (Array.isArray(plans) ? (plans as readonly unknown[]) : []).map((value, index) => {
    const path = ['plans', index]
    const name = isPlainObject(value) ? value['name'] : undefined
    const namePath = [...path, 'name']
    if (typeof name === 'string' && names.has(name)) {
      problems.add(errors.PLAN_DUPLICATE({ plan: name }), { path: namePath })
    }
    names.add(name)
    return { name, value, path, namePath }
  })
}
