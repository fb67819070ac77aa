import { isHoldfastError, type PruneContext } from '@holdfast/sdk'
import { createBenji } from '../benji/create-benji.ts'
import type { Volume } from '../target.ts'
import type { BackupConfig } from './options.ts'

/** Benji's own rules win over a plan's retention: somebody protected it, or something reads it right now. */
const kept: ReadonlySet<string> = new Set(['BENJI_REFUSED', 'BENJI_LOCKED'])

/** Removes the versions that the plan's retention lets go. One that can't be removed doesn't keep the others. */
export async function pruneVolume(ctx: PruneContext<BackupConfig, Volume>): Promise<void> {
  const benji = createBenji(ctx, ctx.config.engine)
  const failures: unknown[] = []
  for (const { id } of ctx.expired) {
    try {
      await benji.rm([id], { force: true })
    } catch (error) {
      if (ctx.signal.aborted) throw error
      // Somebody else removed it.
      if (isHoldfastError(error) && error.code === 'BENJI_NOT_FOUND') continue
      if (isHoldfastError(error) && kept.has(error.code))
        ctx.log.warn(`version ${id} was not removed: ${error.message}`)
      else failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
