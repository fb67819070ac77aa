import { isHoldfastError, type ArmedUndo, type TargetContext } from '@holdfast/sdk'
import type { Benji, BenjiBackupRequest } from '../benji/benji.ts'
import { createBenji } from '../benji/create-benji.ts'
import { equals } from '../benji/filter.ts'
import { requireLabels, requireVolume, versionUid } from '../benji/names.ts'
import { versionsForChain } from '../benji/run-versions.ts'
import { sourceUrl } from '../benji/source-url.ts'
import type { BenjiVersion } from '../benji/version.ts'
import { instanceOf } from '../engine.ts'
import { errors } from '../errors.ts'
import type { Freezable } from '../freeze/frozen.ts'
import { ownLabelNames } from '../labels.ts'
import { formatImage, type RbdImage } from '../rbd/image.ts'
import { addExtent } from '../rbd/add-extent.ts'
import { createRbd } from '../rbd/create-rbd.ts'
import { imageLock } from '../rbd/image-lock.ts'
import type { Rbd, RbdSnapshot } from '../rbd/rbd.ts'
import { freeSnapshotName } from '../rbd/snapshot-name.ts'
import type { Volume } from '../target.ts'
import { storeEngine } from '../undo/engine.ts'
import { readChain, type Chain } from './chain.ts'
import { labelsOf } from './labels.ts'
import { isCompared, type BackupConfig } from './options.ts'
import { placeOf } from '../benji/place.ts'
import { pointOf, snapshotOf } from './point.ts'
import { whyUnfit } from './unfit.ts'
import { snapshotUndo } from './snapshot-undo.ts'
import { isTaken, prepareFreeze, takeSnapshot } from './take-snapshot.ts'
import { versionUndo } from './version-undo.ts'

type Context = TargetContext<BackupConfig, Volume>

/**
 * What a base is refused with: it is gone, of another storage or block size, or the hints don't fit it (K23); or it is
 * locked for longer than we wait, perhaps for ever, by a scrub that was killed. Its snapshot may be gone as well, by a
 * backup of another pod that was faster.
 */
const baseRefused: ReadonlySet<string> = new Set([
  'BENJI_USAGE',
  'BENJI_DATA',
  'BENJI_NOT_FOUND',
  'BENJI_LOCKED',
  'RBD_NOT_FOUND',
])
/** A base is locked while another backup reads its list of blocks. */
const lockedTries = 5
const lockedPauseMs = 6000
/** Names of snapshots that are tried, where others are faster. */
const nameTries = 3

/**
 * Backs up one volume: snapshot, differences, version, labels, metadata; and only then lets go of the snapshot that it
 * counted from (K7, K8).
 *
 * @throws HoldfastError `VOLUME_UNUSABLE`, `FREEZE_…`, `RBD_…`, `BENJI_…`
 */
export async function backUpVolume(ctx: Context): Promise<void> {
  const { image, refused, volume, claim } = ctx.target.data
  if (refused?.as === 'skipped') ctx.skip(refused.reason)
  if (refused || !image) throw errors.VOLUME_UNUSABLE({ volume, reason: refused?.reason ?? 'it has no image' })
  const { engine, blockSize } = ctx.config
  const labels = labelsOf({ claim, image, plan: ctx.run.plan }, engine)
  // Benji looks at them after the snapshot was made (K24).
  requireVolume(volume)
  requireLabels(labels)
  const place = await placeOf(engine, blockSize)
  await ctx.lock(imageLock(image), async () => {
    const benji = createBenji(ctx, engine)
    const rbd = createRbd(ctx, engine)
    const freezable = await prepareFreeze(ctx, image)
    const snapshots = await rbd.snapshots(image)
    const chain = readChain({
      image,
      snapshots,
      versions: await versionsForChain(ctx, benji, volume, snapshots),
      instance: instanceOf(engine),
      recorded: new Set(ctx.recorded().flatMap(snapshotOf)),
      ...place,
    })
    const keeps = ctx.config.differential !== false
    const { snapshot, undo } = await takeOwn(ctx, rbd, image, snapshots, freezable)
    const job: Job = { ctx, benji, rbd, image, snapshot, labels, earlier: snapshots }
    const { version, mode } = await store(
      job,
      keeps ? chain : { ...chain, base: undefined, reason: 'differential is off' },
    )
    await ctx.record(pointOf(version, mode, image))
    await undo.disarm()
    // What is compared is compared with it, and lets it go then.
    const goes = !keeps && !isCompared(ctx.config)
    await letGo(job, [...chain.ours, ...(goes ? [snapshot] : [])])
    warnOfForeign(ctx, image, chain)
  })
}

/**
 * Makes a snapshot that nobody else has made: two backups may begin in one second, and what the other one made must not
 * be taken for ours, and removed (K9).
 */
async function takeOwn(
  ctx: Context,
  rbd: Rbd,
  image: RbdImage,
  snapshots: readonly Pick<RbdSnapshot, 'name'>[],
  freezable: Freezable | undefined,
): Promise<{ readonly snapshot: string; readonly undo: ArmedUndo }> {
  const { engine } = ctx.config
  const { volume } = ctx.target.data
  const taken = [...snapshots]
  for (let attempt = 1; ; attempt++) {
    const snapshot = freeSnapshotName(ctx.clock.now(), taken)
    const undo = await ctx.undo.arm(snapshotUndo, { engine: storeEngine(engine), image, snapshot, volume })
    try {
      await takeSnapshot(ctx, rbd, image, snapshot, freezable)
      return { snapshot, undo }
    } catch (error) {
      if (!isTaken(error)) throw error
      await undo.disarm()
      if (attempt === nameTries) throw error
      taken.push({ name: snapshot })
    }
  }
}

interface Job {
  readonly ctx: Context
  readonly benji: Benji
  readonly rbd: Rbd
  readonly image: RbdImage
  readonly snapshot: string
  readonly labels: Readonly<Record<string, string>>
  /** Snapshots that the image had before, oldest first. */
  readonly earlier: readonly RbdSnapshot[]
}

interface Stored {
  readonly version: BenjiVersion
  readonly mode: 'full' | 'differential'
}

/** Differential, if there is a base; and full explicitly, if Benji won't have it. */
async function store(job: Job, { base, reason }: Chain): Promise<Stored> {
  const { ctx } = job
  if (!base) {
    ctx.log.info(`backing up ${ctx.target.data.volume} in full: ${reason ?? 'there is no earlier backup'}`)
    return { version: await storeFrom(job, undefined), mode: 'full' }
  }
  try {
    const version = await storeFrom(job, base)
    return { version, mode: 'differential' }
  } catch (error) {
    if (!isHoldfastError(error) || !baseRefused.has(error.code) || ctx.signal.aborted) throw error
    ctx.log.warn(
      `Benji or Ceph refused version ${base.version.uid} as base, so a full backup is made: ${error.message}`,
    )
    return { version: await storeFrom(job, undefined), mode: 'full' }
  }
}

async function storeFrom(job: Job, base: Chain['base']): Promise<BenjiVersion> {
  const { ctx, benji, rbd, image, snapshot } = job
  const { volume } = ctx.target.data
  const labels = { ...job.labels, [ownLabelNames.mode]: base === undefined ? 'full' : 'differential' }
  const { engine, blockSize, wholeObject = true } = ctx.config
  const uid = versionUid(volume)
  // A file's name has 255 bytes at most. What tells the uid from others is its end.
  const hints = `${await ctx.workspace()}/${uid.slice(-100)}.json`
  const { extents } = await rbd.diff({
    image,
    snapshot,
    from: base?.snapshot,
    wholeObject: wholeObject && !(base && shrankSince(base.snapshot, job.earlier)),
    file: hints,
  })
  ctx.log.debug(`${extents} extents to look at`, { volume, base: base?.version.uid })
  if (base) await coverOldEnd(job, base.version, { file: hints, extents })
  const undo = await ctx.undo.arm(versionUndo, { engine: storeEngine(engine), uid, labels })
  try {
    const version = await unlessLocked(ctx, base !== undefined, () =>
      benji.backup(
        {
          uid,
          volume,
          snapshot,
          source: sourceUrl(engine, image, snapshot),
          hints,
          base: base?.version.uid,
          labels,
          ...(blockSize !== undefined && { blockSize }),
        } satisfies BenjiBackupRequest,
        (done, total, task) => ctx.progress(done, total, task),
      ),
    )
    // Benji adds labels last, and writes its metadata before that (C4).
    await benji.metadataBackup(equals('uid', uid))
    const fault = whyUnfit(version, labels)
    if (fault !== undefined) throw errors.BENJI_NOT_KEPT({ uid, found: fault })
    await undo.disarm()
    return version
  } catch (error) {
    // Now, not at the end: a full backup may follow. An undo that fails is kept and told of by the engine.
    await undo.fire().catch(() => {})
    throw error
  }
}

/**
 * Where an image shrank, was snapshotted, and grew again, `--whole-object` keeps silent about what went with its end (seen
 * on Ceph 16.2); without it, Ceph says so.
 */
function shrankSince(base: string, snapshots: readonly RbdSnapshot[]): boolean {
  const from = snapshots.findIndex(({ name }) => name === base)
  const size = snapshots[from]?.size ?? 0
  return snapshots.slice(from + 1).some((snapshot) => snapshot.size < size)
}

/**
 * Of an image that has grown, Benji doesn't read the block that was cut off by its old end unless the hints name it, and
 * stores zeros for it. To Ceph nothing has changed there.
 */
async function coverOldEnd(
  { rbd, image, snapshot }: Job,
  { size: before, blockSize }: BenjiVersion,
  { file, extents }: { readonly file: string; readonly extents: number },
): Promise<void> {
  const cutOff = before % blockSize
  if (cutOff === 0) return
  const size = (await rbd.snapshots(image)).find(({ name }) => name === snapshot)?.size ?? before
  if (size <= before) return
  const offset = before - cutOff
  await addExtent(file, extents, { offset, length: Math.min(blockSize, size - offset) })
}

async function unlessLocked<T>(ctx: Context, hasBase: boolean, body: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await body()
    } catch (error) {
      const again = hasBase && attempt < lockedTries && isHoldfastError(error) && error.code === 'BENJI_LOCKED'
      if (!again) throw error
      ctx.log.info(`the base is locked by another Benji; trying again in ${lockedPauseMs / 1000} s`)
      await ctx.clock.sleep(lockedPauseMs, ctx.signal)
    }
  }
}

/** The new version stands on its own: what came before it goes, newest last. Failing costs room, not a backup. */
async function letGo({ ctx, rbd, image }: Job, snapshots: readonly string[]): Promise<void> {
  for (const snapshot of snapshots) {
    try {
      await rbd.removeSnapshot(image, snapshot)
    } catch (error) {
      if (ctx.signal.aborted) throw error
      const reason = error instanceof Error ? error.message : String(error)
      ctx.log.warn(
        `the snapshot ${snapshot} of ${formatImage(image)} could not be removed, the next run tries again: ${reason}`,
      )
    }
  }
}

function warnOfForeign(ctx: Context, image: RbdImage, { foreign }: Chain): void {
  if (foreign.length === 0) return
  ctx.log.warn(
    `${formatImage(image)} has snapshots that look like a backup's and belong to no version: ${foreign.join(', ')}. They stay; see \`holdfast benji gc\``,
  )
}
