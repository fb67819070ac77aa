import { isHoldfastError } from '@holdfast/sdk'
import { openCluster, type Cluster } from '@holdfast/runtime'
import type { CommandContext } from './context.ts'
import { version } from './version.ts'

/** The cluster of a command that may need it; without one, or with one that can't be used, it goes on. */
export async function clusterOf({ io, log }: Pick<CommandContext, 'io' | 'log'>): Promise<Cluster | undefined> {
  try {
    return await openCluster({ env: io.env, clock: io.clock, userAgent: `holdfast/${version}` })
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    // Most plans need no API, and those that do will say so.
    log.warn(error.message, { error })
    return undefined
  }
}
