import { drillId, drillOfId, errors as runtimeErrors, type ResolvedConfig, type ResolvedDrill } from '@holdfast/runtime'
import type { Run, Schedule } from '@holdfast/sdk'

/**
 * The drill of this name.
 *
 * @throws HoldfastError `DRILL_UNKNOWN`
 */
export function drillNamed({ drills }: ResolvedConfig, name: string): ResolvedDrill {
  const found = drills.find((drill) => drill.name === name)
  if (found) return found
  throw runtimeErrors.DRILL_UNKNOWN({ drill: name, known: drills.map((drill) => drill.name).join(', ') || 'none' })
}

/** The drills of these plans. */
export function drillsOf(
  { drills }: ResolvedConfig,
  plans: readonly { readonly name: string }[],
): readonly ResolvedDrill[] {
  return drills.filter(({ plan }) => plans.some(({ name }) => name === plan.name))
}

/** Whether a drill runs by itself. */
export function isScheduledDrill(drill: ResolvedDrill): drill is ResolvedDrill & { readonly schedule: Schedule } {
  return drill.schedule !== undefined
}

/** Everything that has a schedule, by the names that the scheduler knows: those of plans, and the ids of drills. */
export function scheduledIn({ plans, drills }: Pick<ResolvedConfig, 'plans' | 'drills'>): readonly {
  readonly name: string
  readonly schedule: Schedule
}[] {
  return [
    ...plans.flatMap(({ name, schedule }) => (schedule ? [{ name, schedule }] : [])),
    ...drills.filter(isScheduledDrill).map(({ name, schedule }) => ({ name: drillId(name), schedule })),
  ]
}

/** What the scheduler knows a run by. */
export function scheduledNameOf({ plan, drill }: Pick<Run, 'plan' | 'drill'>): string {
  return drill === undefined ? plan : drillId(drill)
}

/** For people: `plan "shop"`, `drill "weekly"`. */
export function describeScheduled(name: string): string {
  const drill = drillOfId(name)
  return drill === undefined ? `plan "${name}"` : `drill "${drill}"`
}
