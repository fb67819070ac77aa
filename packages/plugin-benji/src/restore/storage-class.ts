import type { Kubernetes } from '@holdfast/sdk'
import type { StorageClass } from '../discovery/objects.ts'
import { isRbdDriver } from '../discovery/rbd-source.ts'
import { errors } from '../errors.ts'

const defaultAnnotation = 'storageclass.kubernetes.io/is-default-class'

/**
 * The storage class of a claim that is to be made.
 *
 * @param wanted - its name; `undefined`: the cluster's default
 * @throws HoldfastError `VOLUME_STORAGE_CLASS` when there is none or it makes no RBD images, `VOLUME_WAITS_FOR_POD` when
 * its claims are bound only once a pod uses them
 */
export async function storageClassFor(
  kubernetes: Kubernetes,
  claim: string,
  wanted: string | undefined,
): Promise<StorageClass> {
  const found =
    wanted === undefined ? await defaultClass(kubernetes) : await kubernetes.get<StorageClass>('storageclasses', wanted)
  if (!found) {
    const reason =
      wanted === undefined ? 'the cluster has no default storage class' : `there is no storage class ${wanted}`
    throw errors.VOLUME_STORAGE_CLASS({ claim, reason })
  }
  const { name } = found.metadata
  const provisioner = found.provisioner ?? ''
  if (!isRbdDriver(provisioner)) {
    throw errors.VOLUME_STORAGE_CLASS({
      claim,
      reason: `the storage class ${name} makes no RBD images (${provisioner})`,
    })
  }
  requireImmediate(claim, found)
  return found
}

/** @throws HoldfastError `VOLUME_WAITS_FOR_POD` */
export function requireImmediate(claim: string, { metadata, volumeBindingMode }: StorageClass): void {
  if (volumeBindingMode === 'WaitForFirstConsumer') {
    throw errors.VOLUME_WAITS_FOR_POD({ claim, storageClass: metadata.name })
  }
}

/** Where there are several, Kubernetes takes the newest. */
async function defaultClass(kubernetes: Kubernetes): Promise<StorageClass | undefined> {
  let newest: StorageClass | undefined
  for await (const each of kubernetes.list<StorageClass>('storageclasses')) {
    if (each.metadata.annotations?.[defaultAnnotation] !== 'true') continue
    if (newest === undefined || createdAt(each) > createdAt(newest)) newest = each
  }
  return newest
}

function createdAt({ metadata }: StorageClass): string {
  return (metadata as { readonly creationTimestamp?: string }).creationTimestamp ?? ''
}
