import type { VerifyContext } from '@holdfast/sdk'
import { createBenji } from '../benji/create-benji.ts'
import type { Benji } from '../benji/benji.ts'
import { equals } from '../benji/filter.ts'
import { metadataInStorage } from '../benji/metadata-in-storage.ts'
import { versionMade } from '../benji/run-versions.ts'
import { sourceUrl } from '../benji/source-url.ts'
import { errors } from '../errors.ts'
import { ownLabelNames } from '../labels.ts'
import { createRbd } from '../rbd/create-rbd.ts'
import { formatImage } from '../rbd/image.ts'
import type { Volume } from '../target.ts'
import { labelsOf } from './labels.ts'
import { isCompared, type BackupConfig } from './options.ts'
import { placeOf } from '../benji/place.ts'
import { snapshotOf } from './point.ts'
import { whyUnfit } from './unfit.ts'

type Context = VerifyContext<BackupConfig, Volume>

/**
 * Proves that a volume's new version can be found and read: valid, in the right storage, with its labels, its metadata
 * in the storage, and, where asked, the same as its source.
 *
 * @throws HoldfastError `BENJI_NOT_KEPT`, `BENJI_SOURCE_MISMATCH`, `BENJI_…`
 */
export async function verifyVolume(ctx: Context): Promise<void> {
  try {
    await verifyVersion(ctx)
  } finally {
    if (ctx.config.differential === false && isCompared(ctx.config)) await letSnapshotGo(ctx)
  }
}

/** Where differential is off it has stayed for the comparison alone. */
async function letSnapshotGo(ctx: Context): Promise<void> {
  const { image } = ctx.target.data
  const snapshots = ctx.points.flatMap(snapshotOf)
  if (!image) return
  for (const snapshot of snapshots) {
    try {
      await createRbd(ctx, ctx.config.engine).removeSnapshot(image, snapshot)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      ctx.log.warn(
        `the snapshot ${snapshot} of ${formatImage(image)} could not be removed, the next run tries again: ${reason}`,
      )
    }
  }
}

async function verifyVersion(ctx: Context): Promise<void> {
  const { engine, compare = false, blockSize } = ctx.config
  const { image, claim } = ctx.target.data
  const [point] = ctx.points
  if (!point || !image) return ctx.skip('nothing was backed up')
  const uid = point.id
  const benji = createBenji(ctx, engine)
  const version = await versionMade(ctx, benji, { uid, volume: ctx.target.data.volume })
  const { storage } = await placeOf(engine, blockSize)
  const labels = labelsOf({ claim, image, plan: ctx.run.plan }, engine)
  const fault =
    whyUnfit(version, labels) ??
    (version?.storage === storage ? undefined : `it is in the storage ${version?.storage}, not in ${storage}`) ??
    ((await metadataInStorage(ctx, benji, engine)).has(uid) ? undefined : 'its metadata is not in the storage')
  if (version === undefined || fault !== undefined)
    throw errors.BENJI_NOT_KEPT({ uid, found: fault ?? 'it is not there' })
  if (compare === false) return
  const percentage = compare === true ? 100 : compare.percentage
  await compareWithSource(ctx, benji, { uid, source: sourceUrl(engine, image, version.snapshot), percentage })
}

/** Benji's exit code says nothing about differences; its log does (C1, K20). */
async function compareWithSource(
  ctx: Context,
  benji: Benji,
  { uid, source, percentage }: { readonly uid: string; readonly source: string; readonly percentage: number },
): Promise<void> {
  const { problems, errors: failed } = await benji.deepScrub(
    { uid, source, blockPercentage: percentage },
    (done, total, task) => ctx.progress(done, total, task),
  )
  if (problems.length === 0 && failed.length === 0) return
  // Benji calls it valid all the same: without a mark, the next backup would count from it (F43).
  await benji.label(uid, { [ownLabelNames.sourceMismatch]: 'true' })
  await benji.metadataBackup(equals('uid', uid))
  throw errors.BENJI_SOURCE_MISMATCH({ uid, source, problem: problems[0] ?? 'the scrub failed' })
}
