import { isHoldfastError } from '@holdfast/sdk'
import type { Participant, ResolvedConfig, ResolvedPlan } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { hasJournal } from '../journal.ts'
import { openEngine, type OpenEngineOptions, type Session } from '../session.ts'
import type { FoundArtifact, Stores } from '../stores.ts'

/** Who restores: the plugin that made it. */
export interface Restorer {
  readonly plan: ResolvedPlan
  readonly participant: Participant
}

/** The one participant of the artifact's plan that knows how to restore its target; `undefined`: nobody does. */
export function restorerOf({ loaded }: Pick<Stores, 'loaded'>, { artifact }: FoundArtifact): Restorer | undefined {
  const plan = loaded?.config.plans.find(({ name }) => name === artifact.plan)
  const candidates = plan?.participants.filter(({ restore, hooks }) => restore && hooks.backups) ?? []
  const named = candidates.find(({ id }) => id === artifact.target)
  const participant = named ?? (candidates.length === 1 ? candidates[0] : undefined)
  return plan && participant && { plan, participant }
}

/**
 * The engine of a restore: it is a run like any other where there is a journal to keep it, or a plugin that needs one.
 *
 * @returns `undefined` where there is neither
 */
export async function openRestoreSession(
  context: CommandContext,
  { loaded }: Pick<Stores, 'loaded'>,
  { store }: FoundArtifact,
  restorer: Restorer | undefined,
  view: OpenEngineOptions,
): Promise<Session | undefined> {
  if (!restorer && !hasJournal(context.settings.stateDirectory)) return undefined
  const { driver, instance } = store
  const config: ResolvedConfig = {
    plans: [],
    replicas: 'each',
    undoMirror: true,
    source: 'none',
    ...loaded?.config,
    storage: driver,
    instance,
  }
  try {
    return await openEngine(context, { config }, view)
  } catch (error) {
    // A state directory that can't be written must not keep anybody from their backups.
    if (restorer || !isHoldfastError(error)) throw error
    context.log.warn(`this restore will not be in the history: ${error.message}`)
    return undefined
  }
}
