import { stat, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { errors } from '../errors.ts'

/** Makes sure that there is room for what is going to be written, before anything is. */
export interface SpaceCheck {
  /**
   * What earlier calls asked for on the same file system counts, too.
   *
   * @param directory - it, or the nearest one above it that is there
   * @throws HoldfastError `RESTORE_SPACE`
   */
  require(bytes: number, directory: string): Promise<void>
}

/** Options of {@link createSpaceCheck}. */
export interface CreateSpaceCheckOptions {
  /** For tests: the bytes that a file system has free, `undefined` where it doesn't say. */
  readonly freeAt?: ((directory: string) => Promise<number | undefined>) | undefined
}

/** A check for one restore, of however many artifacts. */
export function createSpaceCheck({ freeAt = freeBytes }: CreateSpaceCheckOptions = {}): SpaceCheck {
  const asked = new Map<number, number>()
  return {
    async require(bytes, directory) {
      const there = await nearestDirectory(directory)
      const { dev } = await stat(there)
      const needed = (asked.get(dev) ?? 0) + bytes
      asked.set(dev, needed)
      const free = await freeAt(there)
      if (free !== undefined && free < needed) throw errors.RESTORE_SPACE({ path: directory, free, needed })
    },
  }
}

/** For those who say that they know better: compressing file systems hold more than they promise. */
export const noSpaceCheck: SpaceCheck = { require: async () => {} }

/** The directory itself, or the nearest above it that is there. */
export async function nearestDirectory(directory: string): Promise<string> {
  const path = resolve(directory)
  const isThere = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return isThere || dirname(path) === path ? path : nearestDirectory(dirname(path))
}

async function freeBytes(directory: string): Promise<number | undefined> {
  const { bavail, bsize, blocks } = await statfs(directory)
  // Some file systems have no idea of their own size.
  return blocks === 0 ? undefined : bavail * bsize
}
