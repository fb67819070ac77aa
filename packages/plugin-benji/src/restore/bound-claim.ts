import type { Kubernetes } from '@holdfast/sdk'
import { sourceUrl } from '../benji/source-url.ts'
import { claimOf, knownVolume, volumeOf } from '../discovery/claim-volume.ts'
import { claimRef } from '../discovery/discover.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../discovery/objects.ts'
import { parseQuantity } from '../discovery/quantity.ts'
import { errors } from '../errors.ts'
import { formatImage, type RbdImage } from '../rbd/image.ts'
import type { Restore } from './context.ts'
import type { OpenDestination } from './destination.ts'
import { requireRoom } from './image.ts'

/** A claim, its volume and the image behind it. */
export interface BoundClaim {
  readonly image: RbdImage
  readonly volume: PersistentVolume
}

/**
 * The image behind a claim that is bound, with room for the version: as its image and its PersistentVolume say, for a
 * claim's own status may say nothing, or something old (K32).
 *
 * @throws HoldfastError `VOLUME_PLACE` when there is no such image, `VOLUME_TOO_SMALL`
 */
export async function boundClaim(
  restore: Restore,
  kubernetes: Kubernetes,
  claim: PersistentVolumeClaim,
): Promise<BoundClaim> {
  const name = claim.spec?.volumeName ?? ''
  const volume = name === '' ? undefined : await kubernetes.get<PersistentVolume>('persistentvolumes', name)
  const { volume: place, image, refused } = volumeOf(claim, volume && knownVolume(volume))
  if (!volume || !image) throw errors.VOLUME_PLACE({ place, reason: refused?.reason ?? 'it has no image' })
  const info = await restore.rbd.info(image)
  if (!info) throw errors.VOLUME_PLACE({ place, reason: `there is no image ${formatImage(image)}` })
  const capacity = volume.spec?.capacity?.storage
  requireRoom(restore, `the claim ${place}`, info.size, capacity === undefined ? undefined : parseQuantity(capacity))
  return { image, volume }
}

/** A claim's image as what is written to. */
export function openClaim(
  { ctx }: Restore,
  claim: PersistentVolumeClaim,
  image: RbdImage,
  isEmpty: boolean,
): OpenDestination {
  const known = claimOf(claim)
  return {
    url: sourceUrl(ctx.config.engine, image),
    isEmpty,
    exists: true,
    image,
    claim: claimRef(known),
    where: { claim: `${known.namespace}/${known.name}`, image: formatImage(image) },
  }
}
