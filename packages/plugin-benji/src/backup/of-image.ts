import type { BenjiVersion } from '../benji/version.ts'
import { labelNames } from '../labels.ts'
import type { RbdImage } from '../rbd/image.ts'

/** Whether a version was made of an image, as far as its labels say: a claim that was deleted and made anew has another. */
export function isOfImage({ labels }: Pick<BenjiVersion, 'labels'>, image: RbdImage): boolean {
  const made = [labels[labelNames.pool], labels[labelNames.namespace], labels[labelNames.image]]
  const wanted = [image.pool, image.namespace, image.name]
  return made.every((label, index) => label === undefined || label === wanted[index])
}
