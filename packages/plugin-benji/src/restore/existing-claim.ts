import type { Kubernetes } from '@holdfast/sdk'
import type { PersistentVolumeClaim, StorageClass } from '../discovery/objects.ts'
import { formatBytes } from '../discovery/quantity.ts'
import { errors } from '../errors.ts'
import { formatImage, type RbdImage } from '../rbd/image.ts'
import { boundClaim, openClaim } from './bound-claim.ts'
import { podsUsing } from './claim-use.ts'
import type { Restore } from './context.ts'
import type { Destination } from './destination.ts'
import { requireUnwatched } from './image.ts'
import { requireImmediate } from './storage-class.ts'
import { waitUntilBound } from './wait-bound.ts'

/**
 * A claim that is there. One that holds data is overwritten with `--force` only, and so is one that a pod or another client
 * uses (K31).
 *
 * @throws HoldfastError `VOLUME_IN_USE`, `VOLUME_HOLDS_DATA`, `VOLUME_TOO_SMALL`, `VOLUME_PLACE`, `VOLUME_WAITS_FOR_POD`
 */
export async function existingClaim(
  restore: Restore,
  kubernetes: Kubernetes,
  found: PersistentVolumeClaim,
): Promise<Destination> {
  const { version, options } = restore
  const { namespace = '', name, uid } = found.metadata
  const place = `the claim ${namespace}/${name}`
  if (options.storageClass !== undefined || options.size !== undefined) {
    throw errors.VOLUME_PLACE({
      place,
      reason: 'it is there already, and storageClass and size are for one that is made',
    })
  }
  const isBound = found.status?.phase !== 'Pending'
  if (!isBound) await requireBindable(kubernetes, found)
  const check = async (image: RbdImage): Promise<void> => {
    await requireUnmounted(restore, kubernetes, { namespace, name })
    await requireUnwatched(restore, place, image)
    await requireUnwritten(restore, place, image)
  }
  const image = isBound ? (await boundClaim(restore, kubernetes, found)).image : undefined
  if (image) await check(image)
  return {
    name: place,
    steps: [
      ...(image ? [] : [`wait until ${place} is bound`]),
      `write ${formatBytes(version.size)} over ${place}${image ? ` (${formatImage(image)})` : ''}`,
    ],
    async open() {
      const claim = image ? found : await waitUntilBound(restore, kubernetes, { namespace, name, uid })
      const target = image ?? (await boundClaim(restore, kubernetes, claim)).image
      return { ...openClaim(restore, claim, target, false), check: () => check(target) }
    },
  }
}

/** @throws HoldfastError `VOLUME_IN_USE`, unless forced */
async function requireUnmounted(
  { ctx, force }: Restore,
  kubernetes: Kubernetes,
  claim: { readonly namespace: string; readonly name: string },
): Promise<void> {
  const pods = await podsUsing(kubernetes, claim)
  if (pods.length === 0) return
  const place = `the claim ${claim.namespace}/${claim.name}`
  const by = `${pods.length === 1 ? 'the pod' : 'the pods'} ${pods.join(', ')}`
  if (!force) throw errors.VOLUME_IN_USE({ place, by })
  ctx.log.warn(`${place} is in use by ${by}, and is overwritten all the same`)
}

/** @throws HoldfastError `VOLUME_HOLDS_DATA`, unless forced */
async function requireUnwritten({ rbd, force }: Restore, place: string, image: RbdImage): Promise<void> {
  if (force) return
  const used = await rbd.usedBytes(image)
  if (used > 0) throw errors.VOLUME_HOLDS_DATA({ place, used: formatBytes(used) })
}

async function requireBindable(kubernetes: Kubernetes, { metadata, spec }: PersistentVolumeClaim): Promise<void> {
  const { storageClassName } = spec ?? {}
  if (!storageClassName) return
  const found = await kubernetes.get<StorageClass>('storageclasses', storageClassName)
  if (found) requireImmediate(`${metadata.namespace}/${metadata.name}`, found)
}
