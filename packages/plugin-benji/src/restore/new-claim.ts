import { randomUUID } from 'node:crypto'
import type { Kubernetes, KubernetesObject } from '@holdfast/sdk'
import type { PersistentVolume, PersistentVolumeClaim } from '../discovery/objects.ts'
import { formatBytes, parseQuantity } from '../discovery/quantity.ts'
import { errors } from '../errors.ts'
import { ownLabelNames } from '../labels.ts'
import { boundClaim, openClaim } from './bound-claim.ts'
import type { Restore } from './context.ts'
import type { Destination } from './destination.ts'
import { storageClassFor } from './storage-class.ts'
import { waitUntilBound } from './wait-bound.ts'

/** By which the undo knows a claim that this restore made: its uid is known only when it is there. */
export const markAnnotation = 'holdfast.dev/restore'
/** Which version is in a claim. */
const versionAnnotation = 'holdfast.dev/restored-version'

const mebibyte = 2 ** 20

/**
 * A claim that is made: with storage class, access modes and volume mode of the one that was backed up (K33).
 *
 * @throws HoldfastError `VOLUME_STORAGE_CLASS`, `VOLUME_WAITS_FOR_POD`, `VOLUME_TOO_SMALL`
 */
export async function newClaim(
  restore: Restore,
  kubernetes: Kubernetes,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<Destination> {
  const { version, options } = restore
  const place = `${namespace}/${name}`
  const size = Math.ceil((options.size === undefined ? version.size : sizeOf(options.size)) / mebibyte) * mebibyte
  if (size < version.size) {
    const sizes = { size: formatBytes(size), needed: formatBytes(version.size) }
    throw errors.VOLUME_TOO_SMALL({ place: `the claim ${place}`, ...sizes })
  }
  const wanted = options.storageClass ?? (version.labels[ownLabelNames.storageClass] || undefined)
  const { metadata: storageClass } = await storageClassFor(kubernetes, place, wanted)
  const accessModes = (version.labels[ownLabelNames.accessModes] || 'ReadWriteOnce').split('+')
  const volumeMode = version.labels[ownLabelNames.volumeMode] || 'Filesystem'
  const mark = randomUUID()
  const claim: PersistentVolumeClaim = {
    metadata: { name, namespace, annotations: { [markAnnotation]: mark, [versionAnnotation]: version.uid } },
    spec: {
      accessModes,
      volumeMode,
      storageClassName: storageClass.name,
      resources: { requests: { storage: `${size / mebibyte}Mi` } },
    },
  }
  return {
    name: `the claim ${place}`,
    creates: { namespace, name, mark },
    steps: [
      `make the claim ${place}: ${formatBytes(size)}, storage class ${storageClass.name}, ${accessModes.join(' and ')}, ${volumeMode}`,
      'wait until it is bound to a volume',
      `write ${formatBytes(version.size)} to its image, which is new`,
    ],
    async open() {
      const made = await kubernetes.create('persistentvolumeclaims', claim)
      const { uid } = made.metadata
      const bound = await waitUntilBound(restore, kubernetes, { namespace, name, uid })
      const { image, volume } = await boundClaim(restore, kubernetes, bound)
      return openClaim(restore, bound, image, isNew(volume, made))
    },
  }
}

/** Already validated. */
function sizeOf(text: string): number {
  return parseQuantity(text) ?? 0
}

/** A claim may also be bound to a volume that was there before, with whatever it holds. */
function isNew(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const made = ({ metadata }: KubernetesObject): string =>
    (metadata as { readonly creationTimestamp?: string }).creationTimestamp ?? ''
  const { annotations = {} } = volume.metadata
  return annotations['pv.kubernetes.io/provisioned-by'] !== undefined && made(volume) >= made(claim)
}
