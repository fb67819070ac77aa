import { readFile } from 'node:fs/promises'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'

/**
 * A configuration's text, without a byte order mark.
 *
 * @throws HoldfastError `CONFIG_UNREADABLE`
 */
export async function readConfigText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (error) {
    const reason = error instanceof TypeError ? 'it is not UTF-8 text' : reasonOf(error)
    throw errors.CONFIG_UNREADABLE({ file, reason }, { cause: error })
  }
}
