import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { StorageDriver } from '@holdfast/sdk'

/**
 * Whether two drivers lead to the same store, as far as they say: a copy there would be none, and what one lets go the
 * other would lose.
 */
export function isSameStore(a: StorageDriver, b: StorageDriver): boolean {
  if (a === b) return true
  if (a.localDirectory !== undefined && b.localDirectory !== undefined)
    return realPath(a.localDirectory) === realPath(b.localDirectory)
  return a.address !== undefined && a.address === b.address
}

/** A path by which no link leads elsewhere; of one that isn't there yet, as much of it as is. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path))
  }
}
