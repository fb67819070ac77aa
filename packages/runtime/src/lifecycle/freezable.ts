import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { fstatSync } from 'node:fs'
import { errors } from '../errors.ts'
import type { Services } from '../services.ts'

/**
 * Refuses a filesystem that we write to ourselves: once frozen, nobody could thaw it (DESIGN §4d).
 *
 * @throws HoldfastError `FREEZE_SELF`
 */
export async function assertFreezable(services: Services, path: string): Promise<void> {
  const { dev } = await stat(path)
  const ours: (readonly [string, number | undefined])[] = [
    ['the state directory', await deviceOf(services.stateDirectory)],
    ['the temporary directory', await deviceOf(tmpdir())],
    ['the artifact store', await deviceOf(services.store().driver.localDirectory)],
    ...(await copiesOf(services)),
    ['the log', logDevice(1)],
    ['the log', logDevice(2)],
  ]
  const own = ours.find(([, device]) => device === dev)
  if (own) throw errors.FREEZE_SELF({ path, what: own[0] })
}

/** Copies of any plan: another one may be copying while this one freezes. */
async function copiesOf(services: Services): Promise<readonly (readonly [string, number | undefined])[]> {
  const copies = services.config().plans.flatMap((plan) => plan.copies)
  return Promise.all(copies.map(async ({ driver }) => ['a copy of the store', await deviceOf(driver.localDirectory)]))
}

/** The device of a path, or of where it would be made. */
async function deviceOf(path: string | undefined): Promise<number | undefined> {
  if (path === undefined) return undefined
  const found = await stat(path).catch(() => undefined)
  if (found) return found.dev
  return dirname(path) === path ? undefined : deviceOf(dirname(path))
}

/** The device of a log that is a file; pipes and terminals are on none. */
function logDevice(fd: number): number | undefined {
  try {
    const stats = fstatSync(fd)
    return stats.isFile() ? stats.dev : undefined
  } catch {
    return undefined
  }
}
