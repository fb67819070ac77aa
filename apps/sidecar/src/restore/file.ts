import { randomUUID } from 'node:crypto'
import { link, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isHoldfastError, type Bytes } from '@holdfast/sdk'
import { reasonOf } from '@holdfast/runtime'
import { errors } from '../errors.ts'

/** What to write, and where. */
export interface RestoreFileOptions {
  readonly path: string
  /** Fail at the end if they are not the right ones. */
  readonly bytes: Bytes
  readonly force: boolean
  readonly progress?: ((bytes: number) => void) | undefined
}

/**
 * Writes bytes to a file that has its name only when all of them are there, checked and on the disk.
 *
 * @throws HoldfastError `RESTORE_EXISTS`, `RESTORE_UNWRITABLE`, or what reading threw; then nothing has changed
 */
export async function restoreFile({ path, bytes, force, progress }: RestoreFileOptions): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID().slice(0, 8)}.restoring`)
  try {
    if (!force && (await exists(path))) throw errors.RESTORE_EXISTS({ path })
    await assertFile(path)
    await mkdir(dirname(path), { recursive: true })
    await writeAll(temporary, bytes, progress)
    await (force ? rename(temporary, path) : putNew(temporary, path))
    await syncDirectory(dirname(path))
  } catch (error) {
    if (isHoldfastError(error)) throw error
    throw errors.RESTORE_UNWRITABLE({ path, reason: reasonOf(error) }, { cause: error })
  } finally {
    await rm(temporary, { force: true }).catch(() => {})
  }
}

/** With `--force` a file may be replaced, but never a device, a socket or a directory. */
async function assertFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found && !found.isFile() && !found.isSymbolicLink()) {
    throw errors.RESTORE_UNWRITABLE({ path, reason: 'it is there, and is not a file' })
  }
}

async function writeAll(file: string, bytes: Bytes, progress?: (bytes: number) => void): Promise<void> {
  let written = 0
  // Backups hold what the application keeps secret.
  const handle = await open(file, 'wx', 0o600)
  try {
    for await (const chunk of bytes) {
      await handle.writeFile(chunk)
      progress?.((written += chunk.length))
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Gives a file its name unless something has it by now. */
async function putNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw errors.RESTORE_EXISTS({ path }, { cause: error })
    // Not every file system has links; then the look before has to do.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error
    await rename(temporary, path)
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } catch {
    // Some file systems can't; the file itself is on the disk.
  } finally {
    await handle.close()
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** An artifact's name as one component of a path. */
export function fileNameOf(name: string): string {
  const isPlain = !/[/\0]/.test(name) && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 200
  return isPlain ? name : encodeURIComponent(name).replaceAll('.', '%2E').slice(0, 200)
}
