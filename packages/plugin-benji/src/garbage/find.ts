import type { RunContext } from '@holdfast/sdk'
import type { BackupConfig } from '../backup/options.ts'
import { createBenji } from '../benji/create-benji.ts'
import { equalsLabel } from '../benji/filter.ts'
import type { BenjiVersion } from '../benji/version.ts'
import { discoverVolumes } from '../discovery/discover.ts'
import { instanceOf } from '../engine.ts'
import { labelNames } from '../labels.ts'
import { createRbd } from '../rbd/create-rbd.ts'
import { formatImage, type RbdImage } from '../rbd/image.ts'
import { isSnapshotName } from '../rbd/snapshot-name.ts'

/** A snapshot that no further backup needs. */
export interface Garbage {
  readonly image: RbdImage
  readonly snapshot: string
  /**
   * `orphan`: its volume is gone, or isn't backed up any more, and the snapshot keeps the image from being deleted;
   * `superseded`: a newer one has a good version; `unknown`: named like a backup's, but no version knows it: perhaps
   * another installation's.
   */
  readonly why: 'orphan' | 'superseded' | 'unknown'
  readonly volume: string | undefined
}

/**
 * Looks through the images of the plan, and through all that versions of our instance were made of, for snapshots that
 * were left behind.
 */
export async function findGarbage(ctx: RunContext<BackupConfig>): Promise<readonly Garbage[]> {
  const { engine } = ctx.config
  const instance = instanceOf(engine)
  const rbd = createRbd(ctx, engine)
  const versions = await createBenji(ctx, engine).ls(equalsLabel(labelNames.instance, instance))
  const current = new Map<string, string>()
  const images = new Map<string, RbdImage>()
  for await (const { data } of discoverVolumes(ctx, ctx.config)) {
    if (!data.image) continue
    current.set(formatImage(data.image), data.volume)
    images.set(formatImage(data.image), data.image)
  }
  for (const version of versions) {
    const image = imageOf(version)
    if (image) images.set(formatImage(image), image)
  }
  const found: Garbage[] = []
  for (const [path, image] of images) {
    ctx.signal.throwIfAborted()
    if ((await rbd.info(image)) === undefined) continue
    const made = versions.filter((version) => formatImage(imageOf(version) ?? image) === path)
    const named = (await rbd.snapshots(image)).filter(({ name }) => isSnapshotName(name))
    const known = new Map(made.map((version) => [version.snapshot, version]))
    const good = named.findLast(({ name }) => known.get(name)?.status === 'valid')
    for (const { name } of named) {
      const version = known.get(name)
      const volume = version?.volume ?? current.get(path)
      if (!version) found.push({ image, snapshot: name, why: 'unknown', volume })
      else if (!current.has(path)) found.push({ image, snapshot: name, why: 'orphan', volume })
      else if (good !== undefined && name !== good.name)
        found.push({ image, snapshot: name, why: 'superseded', volume })
    }
  }
  return found
}

function imageOf({ labels }: BenjiVersion): RbdImage | undefined {
  const { [labelNames.pool]: pool, [labelNames.namespace]: namespace = '', [labelNames.image]: name } = labels
  return pool === undefined || name === undefined ? undefined : { pool, namespace, name }
}
