// A drill's directory: named after its run, so that no other drill ever gets the same, and that nothing else is ever
// removed for it, whatever a journal or a ConfigMap may say.
import { mkdir, rm } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { removeLeftover } from '../lifecycle/leftovers.ts'
import type { Services } from '../services.ts'

const prefix = 'holdfast-drill-'

/** Where drills' directories are made that say nothing else. */
export function scratchRoot(stateDirectory: string): string {
  return join(stateDirectory, 'drills')
}

/** The directory of a run, below a root. */
export function scratchOf(root: string, run: string): string {
  return join(root, `${prefix}${run}`)
}

/** Small letters and digits, unique as the run's id is. */
export function suffixOf(run: string): string {
  return run.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

/**
 * Makes it, empty and private.
 *
 * @throws HoldfastError `DRILL_SCRATCH`
 */
export async function makeScratch(directory: string, root: string): Promise<void> {
  try {
    await mkdir(root, { recursive: true, mode: 0o700 })
    // Not recursively: it must not be there yet.
    await mkdir(directory, { mode: 0o700 })
  } catch (error) {
    throw errors.DRILL_SCRATCH({ directory, reason: reasonOf(error) }, { cause: error })
  }
}

/**
 * Removes it with everything in it; one that is not there is removed.
 *
 * @param run - whose it has to be
 */
export async function removeScratch(directory: string, run: string): Promise<void> {
  if (basename(directory) !== `${prefix}${run}`) {
    throw new Error(`${directory} is not the directory of drill run ${run}, and is not removed`)
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 2 })
}

/** The runs whose directories are in the state directory. */
export function listScratches(stateDirectory: string): readonly string[] {
  try {
    const names = readdirSync(scratchRoot(stateDirectory))
    return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
  } catch {
    return []
  }
}

/** Removes that of a run that nobody will clean up after any more: its undo was dropped by hand. */
export function sweepScratch({ stateDirectory, log }: Pick<Services, 'stateDirectory' | 'log'>, run: string): void {
  removeLeftover(scratchOf(scratchRoot(stateDirectory), run), log)
}
