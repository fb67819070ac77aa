import { randomUUID } from 'node:crypto'
import * as nodeFs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { reasonOf } from '@holdfast/runtime'
import { errors } from '../errors.ts'
import { foreignOwner } from './foreign-owner.ts'

/** A file to write. */
export interface OutputFile {
  /** Relative to the directory. */
  readonly name: string
  readonly content: string | Uint8Array
}

/** What it takes of a file system. */
export type WritableFileSystem = Pick<typeof nodeFs, 'mkdir' | 'open' | 'rename' | 'rm' | 'stat'>

/**
 * Writes files into a directory, replacing those of the same name. All of them are written and synced under other names
 * first, so that a failure leaves what was there, and a reader never sees half of one.
 *
 * @throws HoldfastError `GENERATE_FOREIGN`, `GENERATE_UNWRITABLE`
 */
export async function writeFiles(
  directory: string,
  files: readonly OutputFile[],
  fs: WritableFileSystem = nodeFs,
): Promise<void> {
  const written: { readonly temporary: string; readonly path: string }[] = []
  try {
    for (const { name, content } of files) {
      const path = join(directory, name)
      await fs.mkdir(dirname(path), { recursive: true })
      const temporary = join(dirname(path), `.${randomUUID()}.tmp`)
      written.push({ temporary, path })
      const handle = await fs.open(temporary, 'wx')
      try {
        await handle.writeFile(content)
        await handle.sync()
      } finally {
        await handle.close()
      }
    }
    // Else it would be found out half-way through.
    for (const { path } of written) {
      if ((await fs.stat(path).catch(() => undefined))?.isDirectory()) throw new Error(`${path} is a directory`)
    }
    for (const { temporary, path } of written) await fs.rename(temporary, path)
  } catch (error) {
    for (const { temporary } of written) await fs.rm(temporary, { force: true }).catch(() => undefined)
    const found = await fs.stat(directory).catch(() => undefined)
    const foreign = foreignOwner('write to', directory, error, found)
    throw foreign ?? errors.GENERATE_UNWRITABLE({ path: directory, reason: reasonOf(error) }, { cause: error })
  }
}
