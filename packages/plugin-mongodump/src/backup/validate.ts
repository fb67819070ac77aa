import type { CheckContext } from '@holdfast/sdk'
import { dumpProgram, restoreProgram, type MongodumpConfig } from '../options.ts'
import { placeOf } from '../place.ts'
import { parseUri } from '../server/uri.ts'
import { requireVersion } from '../tools/version.ts'

/**
 * Checks the connection string, and the programs. A database that starts later than Holdfast does not keep it from starting:
 * programs in its container are looked at before a run, not when the configuration is loaded.
 *
 * @throws HoldfastError `MONGODB_URI`, `SECRET_MISSING`, `MONGODUMP_MISSING`, `MONGODUMP_VERSION`
 */
export async function validateDump(ctx: CheckContext<MongodumpConfig>): Promise<void> {
  const { config, secrets, phase } = ctx
  parseUri((await secrets.open(config.uri)).reveal())
  if (config.controlUri) parseUri((await secrets.open(config.controlUri)).reveal())
  const place = placeOf(config.where)
  if (place.kind === 'container' && phase === 'load') return
  await requireVersion(ctx, place, dumpProgram(config))
  if ((config.verify ?? 'dry-run') === 'dry-run') await requireVersion(ctx, place, restoreProgram(config))
}
