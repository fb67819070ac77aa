import type { Claim, Volume } from '../target.ts'
import { formatImage } from '../rbd/image.ts'
import type { PersistentVolume, PersistentVolumeClaim } from './objects.ts'
import { parseQuantity } from './quantity.ts'
import { isRbdDriver, rbdSourceOf, type RbdSource } from './rbd-source.ts'

/** What matters of a PersistentVolume: ten thousand of them are kept at once. */
export interface KnownVolume {
  readonly source: RbdSource
  readonly phase: string | undefined
  /** The claim that it is bound to. */
  readonly boundTo: { readonly namespace?: string; readonly name?: string; readonly uid?: string } | undefined
}

/** The annotation that asks for a freeze. */
const freezeAnnotation = 'benji-backup.me/fsfreeze'
const provisionerAnnotations = [
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
] as const

/** What matters of a PersistentVolume. */
export function knownVolume(volume: PersistentVolume): KnownVolume {
  return { source: rbdSourceOf(volume), phase: volume.status?.phase, boundTo: volume.spec?.claimRef }
}

/** What matters of a PersistentVolumeClaim. */
export function claimOf({ metadata, spec = {}, status = {} }: PersistentVolumeClaim): Claim {
  const { namespace = '', name, uid, annotations = {} } = metadata
  const capacity = status.capacity?.storage
  return {
    namespace,
    name,
    uid,
    pv: spec.volumeName || undefined,
    storageClass: spec.storageClassName || annotations['volume.beta.kubernetes.io/storage-class'] || undefined,
    accessModes: [...(spec.accessModes ?? [])],
    volumeMode: spec.volumeMode ?? 'Filesystem',
    freeze: annotations[freezeAnnotation] === 'yes',
    capacity: capacity === undefined ? undefined : parseQuantity(capacity),
  }
}

/**
 * The volume behind a claim, or why there is none to back up: what isn't RBD is skipped; what is, or may be, and can't be
 * backed up fails (K12).
 *
 * @param known - of its PersistentVolume; `undefined` when there is none of that name
 */
export function volumeOf(object: PersistentVolumeClaim, known: KnownVolume | undefined): Volume {
  const claim = claimOf(object)
  const base = { volume: `${claim.namespace}/${claim.name}`, claim }
  if (known?.source.kind === 'other')
    return { ...base, refused: { as: 'skipped', reason: `not RBD: ${known.source.what}` } }
  const elsewhere = known === undefined ? provisionerElsewhere(object) : undefined
  if (elsewhere !== undefined) {
    return { ...base, refused: { as: 'skipped', reason: `not RBD: its volumes are made by ${elsewhere}` } }
  }
  const reason = notBound(object, claim, known) ?? unusable(known?.source)
  if (reason !== undefined) return { ...base, refused: { as: 'failed', reason } }
  return { ...base, ...(known?.source.kind === 'image' && { image: known.source.image }) }
}

/** The provisioner of a claim without a volume, when we know that it doesn't make RBD images. */
function provisionerElsewhere({ metadata: { annotations = {} } }: PersistentVolumeClaim): string | undefined {
  const provisioner = provisionerAnnotations.map((name) => annotations[name]).find((value) => value)
  return provisioner === undefined || isRbdDriver(provisioner) ? undefined : provisioner
}

function notBound(object: PersistentVolumeClaim, claim: Claim, known: KnownVolume | undefined): string | undefined {
  const { pv } = claim
  const phase = object.status?.phase
  if (phase === 'Lost') return `the claim has lost its PersistentVolume${pv === undefined ? '' : ` ${pv}`} (Lost)`
  if (pv === undefined || phase === 'Pending') {
    const of = claim.storageClass === undefined ? '' : ` of storage class ${claim.storageClass}`
    return `the claim${of} is not bound to a volume (${phase ?? 'no phase'}); it has nothing that could be backed up`
  }
  if (known === undefined) return `its PersistentVolume ${pv} does not exist`
  if (known.phase === 'Released' || known.phase === 'Failed') return `its PersistentVolume ${pv} is ${known.phase}`
  const { boundTo } = known
  if (boundTo === undefined) return undefined
  const other = `${boundTo.namespace}/${boundTo.name}`
  if (other !== `${claim.namespace}/${claim.name}`) return `its PersistentVolume ${pv} belongs to the claim ${other}`
  if (boundTo.uid !== undefined && claim.uid !== undefined && boundTo.uid !== claim.uid) {
    return `its PersistentVolume ${pv} belongs to an earlier claim of this name`
  }
  return undefined
}

function unusable(source: RbdSource | undefined): string | undefined {
  return source?.kind === 'unknown' ? `its PersistentVolume is RBD's, but ${source.reason}` : undefined
}

/** Says which claims share an image: each is backed up, and each is restored with the other's data. */
export function sharedImages(
  volumes: readonly Volume[],
): readonly { readonly image: string; readonly volumes: readonly string[] }[] {
  const byImage = new Map<string, string[]>()
  for (const { image, volume, refused } of volumes) {
    if (!image || refused) continue
    const path = formatImage(image)
    const there = byImage.get(path)
    if (there) there.push(volume)
    else byImage.set(path, [volume])
  }
  return [...byImage].flatMap(([image, names]) => (names.length > 1 ? [{ image, volumes: names }] : []))
}
