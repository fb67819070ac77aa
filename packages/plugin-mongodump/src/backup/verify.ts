import { isHoldfastError, type VerifyContext } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { MongodumpConfig } from '../options.ts'
import { placeOf } from '../place.ts'
import { dryRun } from '../restore/dry-run.ts'
import { describeDifferences } from './counts.ts'
import { loadVerdict } from './verdict.ts'

/**
 * Judges a dump. That its archive is whole was seen while it was made, and that the store has the same bytes, the engine has
 * seen; what is left is what the server said about numbers, and whether mongorestore takes what is stored. Where backups are
 * encrypted and the key is elsewhere, nobody here can ask it.
 *
 * @throws HoldfastError `MONGODUMP_COUNTS`, `MONGODUMP_DRY_RUN`
 */
export async function verifyDumps(ctx: VerifyContext<MongodumpConfig>): Promise<void> {
  const { config, points } = ctx
  if (points.length === 0) ctx.skip('nothing was dumped')
  for (const { id } of points) {
    const { differences = [] } = (await loadVerdict(ctx.vars, id)) ?? {}
    if (differences.length > 0) {
      throw errors.MONGODUMP_COUNTS({ count: differences.length, list: describeDifferences(differences) })
    }
    if (config.verify === 'archive' || config.verify === 'counts') continue
    const place = placeOf(config.where)
    await dryRun(ctx, { place, uri: config.uri, archive: ctx.openArtifact(id), args: [] }).catch((error: unknown) => {
      const isLocked = isHoldfastError(error) && error.code === 'ARTIFACT_KEY_MISSING'
      if (!isLocked || config.verify !== undefined) throw error
      ctx.log.info('mongorestore was not asked about the dump: it can be decrypted elsewhere only')
    })
  }
}
