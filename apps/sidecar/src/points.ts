import type { RestorePoint } from '@holdfast/sdk'
import { listExternalPoints, type LoadedConfig, type Participant, type ResolvedPlan } from '@holdfast/runtime'
import type { CommandContext } from './context.ts'
import { withInspectingEngine } from './inspection.ts'

/** A restore point outside the store, such as a version of Benji, and who restores it. */
export interface FoundPoint {
  readonly plan: ResolvedPlan
  readonly participant: Participant
  readonly point: RestorePoint
}

/** Whether any plugin of the configuration keeps restore points outside the store. */
export function hasPointsElsewhere(loaded: LoadedConfig | undefined): loaded is LoadedConfig {
  return loaded?.config.plans.some(({ participants }) => participants.some(({ restore }) => restore?.points)) ?? false
}

/** Whether a plan has something to keep in the store: plugins that list restore points of their own keep them elsewhere. */
export function storesArtifacts({ participants }: ResolvedPlan): boolean {
  return participants.some(({ hooks, restore }) => hooks.backups && !restore?.points)
}

/**
 * Every restore point outside the store that fits, newest first, as the plugins of the configuration list them. Plans
 * that share an engine list the same ones: each is there once.
 *
 * @throws what a plugin threw: nothing is known then
 */
export async function findPoints(
  context: CommandContext,
  loaded: LoadedConfig,
  selection: { readonly plan?: string | undefined; readonly target?: string | undefined } = {},
): Promise<readonly FoundPoint[]> {
  const { plan: name, target } = selection
  const plans = loaded.config.plans.filter((plan) => name === undefined || plan.name === name)
  const found = new Map<string, FoundPoint>()
  await withInspectingEngine(context, loaded, async ({ services }, signal) => {
    for (const plan of plans) {
      for (const participant of plan.participants) {
        if (!participant.restore?.points) continue
        const filter = target === undefined ? {} : { target }
        for (const point of await listExternalPoints(services, plan, participant, filter, signal)) {
          const key = `${participant.name} ${point.id}`
          if (!found.has(key)) found.set(key, { plan, participant, point })
        }
      }
    }
  })
  return [...found.values()].toSorted((a, b) => b.point.createdAt.getTime() - a.point.createdAt.getTime())
}
