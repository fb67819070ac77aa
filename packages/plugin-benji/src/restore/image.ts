import { sourceUrl } from '../benji/source-url.ts'
import { formatBytes } from '../discovery/quantity.ts'
import { errors } from '../errors.ts'
import { formatImage, type RbdImage } from '../rbd/image.ts'
import type { Restore } from './context.ts'
import type { Destination } from './destination.ts'

/**
 * An RBD image. One that is there is overwritten with `--force` only; one that isn't is made by Benji, as large as the
 * version.
 *
 * @throws HoldfastError `VOLUME_THERE`, `VOLUME_IN_USE`, `VOLUME_TOO_SMALL`, `RBD_…`
 */
export async function imageDestination(restore: Restore, image: RbdImage): Promise<Destination> {
  const { ctx, rbd, version, force } = restore
  const name = `the image ${formatImage(image)}`
  const found = await rbd.info(image)
  if (found && !force) throw errors.VOLUME_THERE({ place: name })
  if (found) {
    requireRoom(restore, name, found.size)
    await requireUnwatched(restore, name, image)
  }
  const isEmpty = found === undefined
  return {
    name,
    steps: [
      isEmpty
        ? `write ${formatBytes(version.size)} to ${name}, which Benji makes`
        : `write ${formatBytes(version.size)} over ${name}`,
    ],
    open: async () => ({
      url: sourceUrl(ctx.config.engine, image),
      isEmpty,
      exists: !isEmpty,
      image,
      where: { image: formatImage(image) },
      ...(found && { check: () => requireUnwatched(restore, name, image) }),
    }),
  }
}

/**
 * A smaller target would lose the end of the volume: no `--force` helps.
 *
 * @param sizes - as its image and its PersistentVolume have them; what isn't known is left out (K32)
 * @throws HoldfastError `VOLUME_TOO_SMALL`
 */
export function requireRoom({ ctx, version }: Restore, place: string, ...sizes: readonly (number | undefined)[]): void {
  const known = sizes.filter((size) => size !== undefined)
  const smallest = Math.min(...known)
  if (smallest < version.size) {
    throw errors.VOLUME_TOO_SMALL({ place, size: formatBytes(smallest), needed: formatBytes(version.size) })
  }
  const largest = Math.max(...known)
  if (largest > version.size) {
    ctx.log.warn(
      `${place} has ${formatBytes(largest)}, the version ${formatBytes(version.size)}: what lies beyond is left as it is, and a filesystem has to be grown by hand`,
    )
  }
}

/**
 * Refuses an image that somebody has open: a mounted filesystem would be overwritten under its user (K31).
 *
 * @throws HoldfastError `VOLUME_IN_USE`, unless forced
 */
export async function requireUnwatched({ ctx, rbd, force }: Restore, place: string, image: RbdImage): Promise<void> {
  const watchers = await rbd.watchers(image)
  if (watchers.length === 0) return
  const by = watchers.length === 1 ? `a client at ${watchers[0]}` : `clients at ${watchers.join(', ')}`
  if (!force) throw errors.VOLUME_IN_USE({ place, by })
  ctx.log.warn(`${place} is in use by ${by}, and is overwritten all the same`)
}
