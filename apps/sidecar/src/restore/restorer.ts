import { isHoldfastError } from '@holdfast/sdk'
import type { LoadedConfig, Participant, ResolvedConfig, ResolvedPlan } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { hasJournal } from '../journal.ts'
import { openEngine, type OpenEngineOptions, type Session } from '../session.ts'
import type { Backup } from './backup.ts'

/** Who restores: the plugin that made it. */
export interface Restorer {
  readonly plan: ResolvedPlan
  readonly participant: Participant
}

/** The one participant of the backup's plan that knows how to restore its target; `undefined`: nobody does. */
export function restorerOf(
  loaded: LoadedConfig | undefined,
  { plan: name, target, point }: Backup,
): Restorer | undefined {
  if (point) return point
  const plan = loaded?.config.plans.find((each) => each.name === name)
  const candidates = plan?.participants.filter(({ restore, hooks }) => restore && hooks.backups) ?? []
  const named = candidates.find(({ id }) => id === target)
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
  loaded: LoadedConfig | undefined,
  { artifacts: [first] }: Backup,
  restorer: Restorer | undefined,
  view: OpenEngineOptions,
): Promise<Session | undefined> {
  if (!restorer && !hasJournal(context.settings.stateDirectory)) return undefined
  const config: ResolvedConfig = {
    plans: [],
    drills: [],
    notify: [],
    replicas: 'each',
    undoMirror: true,
    source: 'none',
    instance: 'default',
    storage: undefined,
    ...loaded?.config,
    ...(first && { storage: first.store.driver, instance: first.store.instance }),
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
