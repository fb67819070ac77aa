import type { BenjiVersion } from '../benji/version.ts'
import { labelNames } from '../labels.ts'
import type { RbdImage } from '../rbd/image.ts'

/** The image that a version was made of, as far as its labels say. */
export function imageOf({ labels }: Pick<BenjiVersion, 'labels'>): RbdImage | undefined {
  const { [labelNames.pool]: pool, [labelNames.namespace]: namespace = '', [labelNames.image]: name } = labels
  return pool === undefined || name === undefined ? undefined : { pool, namespace, name }
}
