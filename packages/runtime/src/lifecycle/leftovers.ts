import { rmSync } from 'node:fs'
import { reasonOf } from '../failure.ts'
import type { RuntimeLogger } from '../telemetry/log.ts'

/**
 * Removes a directory that nobody needs any more, with everything in it. What can't be removed, because something is
 * mounted there or it belongs to another user, is said, and left to a later start: it stops nothing.
 */
export function removeLeftover(directory: string, log: Pick<RuntimeLogger, 'warn'>): void {
  try {
    rmSync(directory, { recursive: true, force: true })
  } catch (error) {
    // Node begins so where it has no name for an error.
    const reason = reasonOf(error).replace(/^, Unknown error: /, '')
    log.warn(`${directory} could not be removed: ${reason}; a later start tries again`, { error })
  }
}
