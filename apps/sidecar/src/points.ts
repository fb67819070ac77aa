import type { HoldfastError, RestorePoint } from '@holdfast/sdk'
import {
  listExternalPoints,
  toFailure,
  type LoadedConfig,
  type Participant,
  type ResolvedPlan,
} from '@holdfast/runtime'
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

/** What plugins keep outside the store, as far as they can say. */
export interface PointsElsewhere {
  /** Newest first. */
  readonly points: readonly FoundPoint[]
  /** Why a plugin could not say what it has. */
  readonly failures: readonly HoldfastError[]
}

/**
 * Every restore point outside the store that fits, as the plugins of the configuration list them. Plans that share an
 * engine list the same ones: each is there once. A plugin that fails keeps nobody from what the others have.
 */
export async function findPoints(
  context: CommandContext,
  loaded: LoadedConfig,
  selection: { readonly plan?: string | undefined; readonly target?: string | undefined } = {},
): Promise<PointsElsewhere> {
  const { plan: name, target } = selection
  const plans = loaded.config.plans.filter((plan) => name === undefined || plan.name === name)
  const found = new Map<string, FoundPoint>()
  const failures: HoldfastError[] = []
  await withInspectingEngine(context, loaded, async ({ services }, signal) => {
    for (const plan of plans) {
      for (const participant of plan.participants) {
        if (!participant.restore?.points) continue
        const filter = target === undefined ? {} : { target }
        try {
          for (const point of await listExternalPoints(services, plan, participant, filter, signal)) {
            const key = `${participant.name} ${point.id}`
            if (!found.has(key)) found.set(key, { plan, participant, point })
          }
        } catch (error) {
          signal.throwIfAborted()
          failures.push(toFailure(error, { hook: 'points', plugin: participant.id }))
        }
      }
    }
  })
  const points = [...found.values()].toSorted((a, b) => b.point.createdAt.getTime() - a.point.createdAt.getTime())
  return { points, failures }
}
