import { createHash } from 'node:crypto'
import { formatImage, type RbdImage } from './image.ts'

/** A lock is a file, whose name has an end: `/` takes three of its characters. */
const longest = 150

/** The lock that keeps backups, restores and removals of one image apart. */
export function imageLock(image: RbdImage): string {
  const path = formatImage(image)
  const isPlain = path.length <= longest && /^[\w./-]+$/.test(path)
  return `rbd-image ${isPlain ? path : createHash('sha256').update(path).digest('hex')}`
}
