import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import type { StoredArtifact } from '@holdfast/runtime'
import { findConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { formatArtifacts } from '../output/artifacts.ts'
import { formatPoints, foundPointJson } from '../output/points.ts'
import { findPoints, hasPointsElsewhere, type FoundPoint } from '../points.ts'
import { findArtifacts, openStores, type Stores } from '../stores.ts'

/** Options of `holdfast list`. */
export interface ListOptions {
  readonly plan?: string | undefined
  readonly target?: string | undefined
  readonly instance?: string | undefined
}

/** `holdfast list`: what can be restored, from the store, and from what the configuration's plugins keep elsewhere. */
export async function runListCommand(context: CommandContext, options: ListOptions): Promise<number> {
  const { stores, points, failures } = await openPlaces(context, options)
  for (const failure of failures) context.warn(failure)
  const artifacts: StoredArtifact[] = []
  if (stores) for await (const { artifact } of findArtifacts(stores, options)) artifacts.push(artifact)
  if (context.settings.json) context.printJson([...artifacts, ...points.map(foundPointJson)])
  else if (artifacts.length + points.length === 0) {
    if (failures.length === 0) context.print(`No artifact in ${stores?.address ?? 'the store'} fits.\n`)
  } else {
    if (artifacts.length > 0) context.print(formatArtifacts(artifacts, context))
    if (artifacts.length > 0 && points.length > 0) context.print('\n')
    if (points.length > 0) context.print(formatPoints(points, context))
  }
  // What is missing in a list is taken for not being there.
  return failures.length === 0 ? exitCode.ok : exitCode.failed
}

interface Places {
  /** `undefined`: there is none, and the configuration's plugins need none. */
  readonly stores: Stores | undefined
  readonly points: readonly FoundPoint[]
  /** Why some are not among them. */
  readonly failures: readonly HoldfastError[]
}

async function openPlaces(context: CommandContext, options: ListOptions): Promise<Places> {
  const { settings } = context
  // With --storage it is that store, and nothing else.
  const loaded = settings.storage === undefined ? await findConfiguration(context) : undefined
  const elsewhere = hasPointsElsewhere(loaded)
  const { points, failures } = elsewhere ? await findPoints(context, loaded, options) : { points: [], failures: [] }
  try {
    return { stores: await openStores(context, { instance: options.instance }), points, failures }
  } catch (error) {
    if (elsewhere && isHoldfastError(error) && error.code === 'STORE_MISSING')
      return { stores: undefined, points, failures }
    throw error
  }
}
