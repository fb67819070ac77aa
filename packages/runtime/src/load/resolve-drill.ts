import { parseDuration, type Drill, type DrillCleanupContext, type DrillContext } from '@holdfast/sdk'
import { cleanupUndo, cleanupUndoName } from '../drill/cleanup-undo.ts'
import { drillId } from '../drill/drill-name.ts'
import { placeholders, unknownPlaceholders } from '../drill/drill-options.ts'
import { errors } from '../errors.ts'
import type { ResolveContext } from './context.ts'
import { suggest } from './did-you-mean.ts'
import { checkPlanName } from './names.ts'
import { isPlainObject } from './plain-object.ts'
import { formatPath, type Path, type Problems } from './problems.ts'
import { resolveDrillCode } from './resolve-drill-code.ts'
import { resolveNotify } from './resolve-notify.ts'
import { checkSchedule, type PlanDraft } from './resolve-plan.ts'
import type { Participant, ResolvedConfig, ResolvedDrill, ResolvedPlan } from './resolved.ts'

/** The plans of the configuration. */
export interface KnownPlans {
  /** Those that were written. */
  readonly names: readonly string[]
  /** Those that can be used. */
  readonly plans: readonly ResolvedPlan[]
  /** Whom drills tell that don't say. */
  readonly notify: ResolvedConfig['notify']
}

/**
 * Fills in a drill's defaults and checks what its shape can't say: its name, its plan, what it calls.
 *
 * @param sound - whether its shape is right; if not, only what can still be checked is, for its problems
 * @returns `undefined` when it can't be used
 */
export async function resolveDrill(
  { name, value, path, namePath }: PlanDraft,
  sound: boolean,
  known: KnownPlans,
  context: ResolveContext,
): Promise<ResolvedDrill | undefined> {
  const { problems } = context
  const draft = isPlainObject(value) ? value : {}
  const wrong = typeof name === 'string' ? checkPlanName('a drill', name) : undefined
  if (wrong) problems.add(wrong, { path: namePath, part: namePath.length === 2 ? 'key' : 'value' })
  checkSchedule(draft['schedule'], [...path, 'schedule'], problems)
  checkPlaceholders(draft['options'], [...path, 'options'], problems)
  const plan = planOf(draft['plan'], [...path, 'plan'], known, problems)
  const expect = await resolveDrillCode<DrillContext>(
    draft['expect'],
    [...path, 'expect'],
    { what: 'expect', call: (scripts) => (ctx) => scripts.expect(ctx) },
    context,
  )
  const cleanup = await resolveDrillCode<DrillCleanupContext>(
    draft['cleanup'],
    [...path, 'cleanup'],
    { what: 'cleanup', call: (scripts) => (ctx) => scripts.cleanup(ctx) },
    context,
  )
  const notify =
    draft['notify'] === undefined ? known.notify : await resolveNotify(draft['notify'], [...path, 'notify'], context)
  if (!sound || typeof name !== 'string' || !plan || !expect) return undefined
  const drill = draft as unknown as Drill
  const { timeouts = {}, permissions = [] } = drill
  const own = [expect, cleanup].flatMap((found) => found?.permissions ?? [])
  return {
    name,
    plan,
    schedule: drill.schedule,
    select: drill.select ?? 'newest',
    target: drill.target,
    // What the command line makes of a plain --to: a plugin that would restore elsewhere refuses it.
    options: drill.options ?? { path: '{directory}' },
    bytes: drill.bytes ?? false,
    expect: expect.code,
    cleanup: cleanup?.code,
    scratch: drill.scratch,
    budgetMs: parseDuration(drill.budget ?? '24h'),
    expectMs: parseDuration(timeouts.expect ?? '1h'),
    notify,
    participant: {
      ...nobody,
      id: drillId(name),
      name,
      source: expect.code.source,
      undos: new Map([
        [cleanupUndoName, cleanupUndo({ name, cleanup: cleanup?.code, deadline: timeouts.cleanup ?? '10m' })],
      ]),
      permissions: [...permissions, ...own],
    },
  }
}

const nobody: Omit<Participant, 'id' | 'name' | 'source' | 'undos' | 'permissions'> = {
  kind: 'drill',
  config: undefined,
  hooks: {},
  targets: undefined,
  describe: undefined,
  restore: undefined,
  commands: undefined,
}

function planOf(
  name: unknown,
  path: Path,
  { names, plans }: Pick<KnownPlans, 'names' | 'plans'>,
  problems: Pick<Problems, 'add'>,
): ResolvedPlan | undefined {
  if (typeof name !== 'string') return undefined
  const plan = plans.find((each) => each.name === name)
  const refuse = (reason: string, fix: string): undefined => {
    problems.add(errors.CONFIG_VALUE({ path: formatPath(path), reason, fix }), { path })
  }
  if (plan?.maintenance) {
    return refuse(
      `is "${name}", which backs nothing up`,
      'A drill restores what a plan has backed up: name one that does.',
    )
  }
  if (plan || names.includes(name)) return plan
  return refuse(`is "${name}", and there is no such plan`, `${suggest(name, names)}There are: ${names.join(', ')}.`)
}

function checkPlaceholders(options: unknown, path: Path, problems: Pick<Problems, 'add'>): void {
  for (const [key, value] of Object.entries(isPlainObject(options) ? options : {})) {
    const [unknown] = typeof value === 'string' ? unknownPlaceholders(value) : []
    if (unknown === undefined) continue
    const where = [...path, key]
    const reason = `contains {${unknown}}, which stands for nothing`
    const fix = `${suggest(unknown, placeholders)}There are {directory} and {suffix}; for anything else use a function in holdfast.config.ts.`
    problems.add(errors.CONFIG_VALUE({ path: formatPath(where), reason, fix }), { path: where })
  }
}
