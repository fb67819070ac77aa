import type { RunContext } from '@holdfast/sdk'
import type { BackupConfig } from '../backup/options.ts'
import { createBenji } from '../benji/create-benji.ts'
import type { BenjiVersion } from '../benji/version.ts'
import { discoverVolumes } from '../discovery/discover.ts'
import { instanceOf } from '../engine.ts'
import { labelNames } from '../labels.ts'
import { createRbd } from '../rbd/create-rbd.ts'
import { formatImage, type RbdImage } from '../rbd/image.ts'
import { isSnapshotName } from '../rbd/snapshot-name.ts'
import { imageOf } from './image-of.ts'
import { judge, type Garbage } from './judge.ts'
import { findOwners, type Owners } from './owners.ts'

/** What is known before anything is judged. */
export interface Surroundings {
  readonly images: readonly RbdImage[]
  readonly versions: readonly BenjiVersion[]
  readonly owners: Owners
}

/** Looks for the images of the plan, and for all that versions of our instance were made of. */
export async function lookAround(ctx: RunContext<BackupConfig>): Promise<Surroundings> {
  const { engine } = ctx.config
  const instance = instanceOf(engine)
  const versions = await createBenji(ctx, engine).ls()
  const made = versions.filter(({ labels }) => labels[labelNames.instance] === instance)
  const images = new Map<string, RbdImage>()
  const current = new Map<string, Set<string>>()
  for await (const { data } of discoverVolumes(ctx, ctx.config)) {
    if (!data.image) continue
    const path = formatImage(data.image)
    images.set(path, data.image)
    current.set(path, (current.get(path) ?? new Set()).add(data.volume))
  }
  for (const version of made) {
    const image = imageOf(version)
    if (image) images.set(formatImage(image), image)
  }
  return { images: [...images.values()], versions, owners: await findOwners(ctx, made, current) }
}

/**
 * The snapshots of an image that were left behind.
 *
 * @param versions - all that there are; asked for after the snapshots, so that what was made meanwhile is known
 */
export async function garbageOf(
  ctx: RunContext<BackupConfig>,
  image: RbdImage,
  owners: Owners,
  versions: () => Promise<readonly BenjiVersion[]>,
): Promise<readonly Garbage[]> {
  const { engine } = ctx.config
  const rbd = createRbd(ctx, engine)
  if ((await rbd.info(image)) === undefined) return []
  const snapshots = (await rbd.snapshots(image)).map(({ name }) => name).filter(isSnapshotName)
  if (snapshots.length === 0) return []
  return judge({ image, snapshots, versions: await versions(), instance: instanceOf(engine), owners })
}
