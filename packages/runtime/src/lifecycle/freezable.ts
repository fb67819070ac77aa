import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
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
    ['the log', logDevice(1)],
    ['the log', logDevice(2)],
  ]
  const own = ours.find(([, device]) => device === dev)
  if (own) throw errors.FREEZE_SELF({ path, what: own[0] })
}

async function deviceOf(path: string | undefined): Promise<number | undefined> {
  if (path === undefined) return undefined
  return stat(path).then(
    ({ dev }) => dev,
    () => undefined,
  )
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
