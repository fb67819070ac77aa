import type { HoldfastConfig, HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { checkShape, type CheckedShape } from './check-shape.ts'
import type { ResolveContext } from './context.ts'
import { checkPlanName } from './names.ts'
import { isPlainObject } from './plain-object.ts'
import { resolveDrill } from './resolve-drill.ts'
import { resolveDefaultCopies } from './resolve-copies.ts'
import { checkRecipients, resolveEncoding } from './resolve-encoding.ts'
import { resolveNotify } from './resolve-notify.ts'
import { resolvePlan, type PlanDraft } from './resolve-plan.ts'
import { checkDriver, openStore } from './resolve-storage.ts'
import { warnSharedChecks } from './shared-checks.ts'
import type { ResolvedConfig, ResolvedDrill, ResolvedPlan } from './resolved.ts'

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
  const shape = await checkShape(draft, problems)
  if (!isPlainObject(draft.value)) return undefined
  const { instance, encoding, metrics, replicas = 'each', undoMirror = 'on' } = draft.value as Partial<HoldfastConfig>

  const wrong = typeof instance === 'string' ? checkPlanName('an installation', instance) : undefined
  if (wrong) problems.add(wrong, { path: ['instance'] })
  if (isPlainObject(encoding)) await checkRecipients(encoding['recipients'], ['encoding', 'recipients'], problems)
  const storage = await resolveStorage(draft.value['storage'], context)

  const defaults = {
    encoding: resolveEncoding(shape.sound(['encoding']) ? encoding : undefined),
    copies: await resolveDefaultCopies(draft.value['copies'], storage, context),
    storage,
    notify: await resolveNotify(draft.value['notify'], ['notify'], context),
  }
  const plans: ResolvedPlan[] = []
  const drafts = plansOf(draft.value['plans'], context)
  checkDuplicates(drafts, (plan) => errors.PLAN_DUPLICATE({ plan }), context)
  for (const plan of drafts) {
    const resolved = await resolvePlan(plan, shape.sound(plan.path), defaults, context)
    if (resolved !== undefined) plans.push(resolved)
  }
  const drills = await resolveDrills(drafts, plans, { shape, notify: defaults.notify }, context)
  warnSharedChecks({ notify: defaults.notify, plans, drills }, problems)
  if (problems.problems.length > 0) return undefined
  const config: ResolvedConfig = {
    instance: instance ?? 'default',
    storage,
    plans,
    drills,
    notify: defaults.notify,
    replicas,
    undoMirror: undoMirror === 'on',
    pushgateway: metrics?.pushgateway,
    source: draft.source,
  }
  return { config, metrics }
}

async function resolveStorage(storage: unknown, context: ResolveContext): Promise<ResolvedConfig['storage']> {
  if (storage === undefined) return undefined
  const opened =
    context.draft.form === 'yaml' ? await openStore(storage, context) : checkDriver(storage, 'the configured store')
  if (!('error' in opened)) return opened
  context.problems.add(opened.error, { path: ['storage'], position: opened.position })
  return undefined
}

function plansOf(plans: unknown, { problems }: ResolveContext): readonly PlanDraft[] {
  const drafts = draftsOf('plans', plans)
  if (isPlainObject(plans) && drafts.length === 0) {
    problems.add(errors.CONFIG_VALUE({ path: 'plans', reason: 'must not be empty' }), { path: ['plans'] })
  }
  return drafts
}

// Plans and drills are a list with names, or a map by name.
function draftsOf(key: 'plans' | 'drills', written: unknown): readonly PlanDraft[] {
  if (Array.isArray(written)) {
    return written.map((value: unknown, index): PlanDraft => {
      const path = [key, index]
      return { name: isPlainObject(value) ? value['name'] : undefined, value, path, namePath: [...path, 'name'] }
    })
  }
  const named = Object.entries(isPlainObject(written) ? written : {})
  return named.map(([name, value]) => ({ name, value, path: [key, name], namePath: [key, name] }))
}

async function resolveDrills(
  planDrafts: readonly PlanDraft[],
  plans: readonly ResolvedPlan[],
  { shape, notify }: Pick<ResolvedConfig, 'notify'> & { readonly shape: CheckedShape },
  context: ResolveContext,
): Promise<readonly ResolvedDrill[]> {
  const written = isPlainObject(context.draft.value) ? context.draft.value['drills'] : undefined
  const drafts = draftsOf('drills', written)
  checkDuplicates(drafts, (drill) => errors.DRILL_DUPLICATE({ drill }), context)
  const names = planDrafts.flatMap(({ name }) => (typeof name === 'string' ? [name] : []))
  const drills: ResolvedDrill[] = []
  for (const drill of drafts) {
    const resolved = await resolveDrill(drill, shape.sound(drill.path), { names, plans, notify }, context)
    if (resolved !== undefined) drills.push(resolved)
  }
  return drills
}

// Names that differ only in case would be one in file systems and in names of Kubernetes objects.
function checkDuplicates(
  drafts: readonly PlanDraft[],
  duplicate: (name: string) => HoldfastError,
  { problems }: ResolveContext,
): void {
  const names = new Set<string>()
  for (const { name, namePath } of drafts) {
    if (typeof name !== 'string') continue
    const part = namePath.length === 2 ? 'key' : 'value'
    if (names.has(name.toLowerCase())) problems.add(duplicate(name), { path: namePath, part })
    names.add(name.toLowerCase())
  }
}
