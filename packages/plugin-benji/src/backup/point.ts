import type { RestorePoint } from '@holdfast/sdk'
import type { BenjiVersion } from '../benji/version.ts'
import { formatImage, type RbdImage } from '../rbd/image.ts'

/** A version as what is recorded of a run. */
export function pointOf(
  version: BenjiVersion,
  mode: 'full' | 'differential',
  image: RbdImage,
): Omit<RestorePoint, 'target' | 'state'> {
  const { uid, volume, snapshot, storage, date, size } = version
  return { id: uid, createdAt: date, size, mode, ref: { uid, volume, snapshot, storage, image: formatImage(image) } }
}

/** The snapshot that a recorded version was made of. */
export function snapshotOf({ ref }: { readonly ref: unknown }): readonly string[] {
  const snapshot = (ref as { readonly snapshot?: unknown } | null)?.snapshot
  return typeof snapshot === 'string' ? [snapshot] : []
}
