import type { RbdImage } from '../rbd/image.ts'
import { imageOfHandle } from './csi-handle.ts'
import type { PersistentVolume } from './objects.ts'

/** What is behind a PersistentVolume. */
export type RbdSource =
  | { readonly kind: 'image'; readonly image: RbdImage }
  /** Not ours; `what` it is: `a volume of type hostPath`. */
  | { readonly kind: 'other'; readonly what: string }
  /** An RBD image, but nobody says which. */
  | { readonly kind: 'unknown'; readonly reason: string }

type Attributes = Readonly<Record<string, string | undefined>>

/** The RBD image behind a PersistentVolume: of the in-tree driver, of Rook's flexVolume, or of ceph-csi. */
export function rbdSourceOf(volume: PersistentVolume): RbdSource {
  const { rbd, flexVolume, csi } = volume.spec ?? {}
  if (rbd) return imageOr({ pool: rbd.pool || 'rbd', name: rbd.image }, 'spec.rbd')
  if (flexVolume?.driver?.startsWith('ceph.rook.io/')) {
    const { pool, image } = (flexVolume.options ?? {}) as Attributes
    return imageOr({ pool, name: image }, 'the options of its flexVolume')
  }
  if (csi && isRbdDriver(csi.driver ?? '')) return csiSource(csi)
  return { kind: 'other', what: describe(volume) }
}

/** Whether volumes of a CSI driver, or of a provisioner, are RBD images. */
export function isRbdDriver(driver: string): boolean {
  return (
    driver === 'rbd.csi.ceph.com' ||
    // One operator may run several of them, each named after its namespace.
    driver.endsWith('.rbd.csi.ceph.com') ||
    driver === 'kubernetes.io/rbd' ||
    driver === 'ceph.com/rbd' ||
    driver.startsWith('ceph.rook.io/')
  )
}

function csiSource(csi: NonNullable<NonNullable<PersistentVolume['spec']>['csi']>): RbdSource {
  const attributes = (csi.volumeAttributes ?? {}) as Attributes
  const handle = csi.volumeHandle ?? ''
  // `journalPool` is where ceph-csi keeps its own notes; the image is in `pool`.
  const { pool, radosNamespace } = attributes
  const name =
    attributes['imageName'] ||
    // Made by hand: the handle is the image's name.
    (attributes['staticVolume'] === 'true'
      ? handle
      : imageOfHandle(handle, attributes['volumeNamePrefix'] || undefined))
  return imageOr({ pool, namespace: radosNamespace, name }, `spec.csi (volumeHandle ${handle || 'missing'})`)
}

function imageOr(
  found: {
    readonly pool: string | undefined
    readonly namespace?: string | undefined
    readonly name: string | undefined
  },
  where: string,
): RbdSource {
  const { pool, namespace = '', name } = found
  if (!pool) return { kind: 'unknown', reason: `${where} says no pool` }
  if (!name) return { kind: 'unknown', reason: `${where} says no image, and its name can't be told from anything else` }
  return { kind: 'image', image: { pool, namespace, name } }
}

/** What a volume has besides its source. */
const notASource = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
])

function describe({ spec = {} }: PersistentVolume): string {
  const { csi, flexVolume } = spec
  if (csi) return `a volume of ${csi.driver || 'an unnamed CSI driver'}`
  if (flexVolume) return `a flexVolume of ${flexVolume.driver || 'an unnamed driver'}`
  const source = Object.keys(spec).find((key) => !notASource.has(key))
  return source === undefined ? 'a volume without a source' : `a volume of type ${source}`
}
