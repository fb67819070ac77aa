import type { CheckContext } from '@holdfast/sdk'
import { readBenjiConfig } from '../benji/benji-config.ts'
import { checkModules } from '../benji/check-modules.ts'
import { ioOf, type BenjiEngine } from '../engine.ts'
import { errors } from '../errors.ts'
import type { BackupConfig } from './options.ts'

/**
 * Checks Benji's configuration against ours, before a snapshot is made for nothing. Whoever asks for it, by `holdfast
 * validate` or `holdfast plan`, is also told whether Benji can load what it names; a run's first call of Benji tells that.
 *
 * @throws HoldfastError `BENJI_CONFIG`, `BENJI_IO_MISSING`, `BENJI_STORAGE_MISSING`, `BENJI_MISSING`
 */
export async function validateBackup(ctx: CheckContext<BackupConfig>): Promise<void> {
  const { engine } = ctx.config
  await checkFile(engine, ctx)
  if (ctx.phase === 'command') await checkModules(ctx, engine)
}

async function checkFile(
  engine: BenjiEngine | undefined,
  { log }: Pick<CheckContext<BackupConfig>, 'log'>,
): Promise<void> {
  // Another program than Benji's own may have its configuration elsewhere.
  if (engine?.command !== undefined && engine.configFile === undefined) return
  const { ios, storages, path } = await readBenjiConfig(engine)
  const io = ios.find(({ name }) => name === ioOf(engine))
  if (!io) {
    throw errors.BENJI_IO_MISSING({ io: ioOf(engine), path, known: ios.map(({ name }) => name).join(', ') })
  }
  if (engine?.storage !== undefined && !storages.includes(engine.storage)) {
    throw errors.BENJI_STORAGE_MISSING({ storage: engine.storage, path, known: storages.join(', ') })
  }
  // Benji's `rbd` module looks for images of a RADOS namespace in the default one (C9).
  if (io.module === 'rbd')
    log.warn(
      `the io ${io.name} of ${path} uses Benji's module rbd, which can't read images of RADOS namespaces; use rbdaio`,
    )
}
