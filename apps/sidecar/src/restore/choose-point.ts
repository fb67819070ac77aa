import { isHoldfastError } from '@holdfast/sdk'
import { findConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { findPoints, hasPointsElsewhere, type FoundPoint } from '../points.ts'
import type { RestoreSelection } from './choice.ts'

/** A restore point outside the store that was asked for. */
export interface ChosenPoint {
  readonly found: FoundPoint
  /** Newer ones that were passed over, because they are not to be relied on. */
  readonly passedOver: readonly FoundPoint[]
}

/**
 * Looks for what was asked for among the restore points that plugins keep outside the store.
 *
 * @returns `undefined`: there is nothing of that kind, so it is an artifact
 * @throws HoldfastError `CONFIG_INVALID`, `RESTORE_CHOICE`, `ARTIFACT_AMBIGUOUS`, or what a plugin threw
 */
export async function choosePoint(
  context: CommandContext,
  id: string | undefined,
  selection: RestoreSelection,
): Promise<ChosenPoint | undefined> {
  // With --storage it is in that store.
  if (context.settings.storage !== undefined) return undefined
  const loaded = await findConfiguration(context).catch((error: unknown) => {
    // Whoever restores from the store gets on without it, and says so.
    if (isHoldfastError(error)) return undefined
    throw error
  })
  if (!hasPointsElsewhere(loaded)) return undefined
  const { plan, target, at } = selection
  const all = await findPoints(context, loaded, { plan, target })
  if (id !== undefined) return oneOf(all, id)
  const fitting = all.filter(({ point }) => !at || point.createdAt <= at)
  const targets = [...new Set(fitting.map(({ point }) => point.target))]
  if (targets.length > 1) throw errors.RESTORE_CHOICE({ what: 'target', found: targets.join(', ') })
  const valid = fitting.filter(({ point }) => point.state === 'valid')
  const sound = valid.find(({ point }) => point.verifiedAt) ?? valid[0]
  if (!sound) return undefined
  return { found: sound, passedOver: fitting.slice(0, fitting.indexOf(sound)) }
}

function oneOf(all: readonly FoundPoint[], id: string): ChosenPoint | undefined {
  const exact = all.find(({ point }) => point.id === id)
  const beginning = exact ? [exact] : all.filter(({ point }) => id !== '' && point.id.startsWith(id))
  const [found, ...more] = beginning
  if (!found) return undefined
  if (more.length > 0) {
    const shown = beginning.slice(0, 5).map(({ point }) => point.id)
    throw errors.ARTIFACT_AMBIGUOUS({
      artifact: id,
      artifacts: [...shown, ...(more.length > 4 ? ['…'] : [])].join(', '),
    })
  }
  return { found, passedOver: [] }
}
