import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { formatBytes } from '../discovery/quantity.ts'
import { errors } from '../errors.ts'
import type { Restore } from './context.ts'
import type { Destination } from './destination.ts'

/**
 * A file or a block device of this machine. What is there is overwritten with `--force` only.
 *
 * @throws HoldfastError `VOLUME_THERE`, `VOLUME_TOO_SMALL`, `VOLUME_PLACE`
 */
export async function fileDestination({ version, force }: Restore, given: string): Promise<Destination> {
  const path = resolve(given)
  const found = await stat(path).catch(() => undefined)
  const name = `the file ${path}`
  if (found?.isDirectory()) throw errors.VOLUME_PLACE({ place: path, reason: 'it is a directory' })
  if (!found && !(await stat(dirname(path)).catch(() => undefined))?.isDirectory()) {
    throw errors.VOLUME_PLACE({ place: path, reason: `there is no directory ${dirname(path)}` })
  }
  if (found && !force) throw errors.VOLUME_THERE({ place: name })
  // Of devices Benji finds out itself.
  if (found?.isFile() && found.size < version.size) {
    throw errors.VOLUME_TOO_SMALL({ place: name, size: formatBytes(found.size), needed: formatBytes(version.size) })
  }
  const isEmpty = found === undefined
  return {
    name,
    steps: [`write ${formatBytes(version.size)} to ${name}${isEmpty ? '' : ', over what is there'}`],
    open: async () => ({ url: `file:${path}`, isEmpty, exists: !isEmpty, where: { file: path } }),
  }
}
