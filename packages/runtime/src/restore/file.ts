import { link, lstat, mkdir, open, rename, rmdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isHoldfastError, type ArmedUndo, type Bytes } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { partialName, removePartial } from './partial.ts'

/** What to write, and where. */
export interface RestoreFileOptions {
  /** Absolute. */
  readonly path: string
  /** Fail at the end if they are not the right ones. */
  readonly bytes: Bytes
  /** Replaces a file that is there. */
  readonly force: boolean
  /** Arms the undo that removes the file if this process dies in the middle of it. Default: whoever finds it removes it. */
  readonly arm?: ((partial: string) => Promise<ArmedUndo>) | undefined
}

/**
 * Writes bytes to a file that has its name only when all of them are there, checked and on the disk.
 *
 * @throws HoldfastError `RESTORE_EXISTS`, `RESTORE_UNWRITABLE`, or what reading threw; then nothing has
 * changed
 */
export async function restoreFile({ path, bytes, force, arm }: RestoreFileOptions): Promise<void> {
  const partial = partialName(path)
  let armed: ArmedUndo | undefined
  let made: string | undefined
  let isDone = false
  try {
    await assertFree(path, force)
    armed = await arm?.(partial)
    made = await mkdir(dirname(path), { recursive: true })
    await writeAll(partial, bytes)
    await (force ? rename(partial, path) : putNew(partial, path))
    await syncDirectory(dirname(path))
    isDone = true
  } catch (error) {
    throw unwritable(path, error)
  } finally {
    await removePartial({ path: partial }).catch(() => {})
    if (!isDone) await removeEmpty(dirname(path), made)
  }
  // Should it run all the same, it finds nothing to remove.
  await armed?.disarm().catch(() => {})
}

/**
 * Whether a file may get this name: nothing is there, or with `force` a file. A device, a socket or a directory is never
 * replaced.
 *
 * @throws HoldfastError `RESTORE_EXISTS`, `RESTORE_UNWRITABLE`
 */
export async function assertFree(path: string, force: boolean): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unwritable(path, error)
  })
  if (!found) return
  if (!force) throw errors.RESTORE_EXISTS({ path })
  if (!found.isFile() && !found.isSymbolicLink()) {
    throw errors.RESTORE_UNWRITABLE({ path, reason: 'it is there, and is not a file' })
  }
}

/** The error for what went wrong with a file, where it isn't one of ours already. */
function unwritable(path: string, error: unknown): unknown {
  if (isHoldfastError(error)) return error
  return errors.RESTORE_UNWRITABLE({ path, reason: reasonOf(error) }, { cause: error })
}

async function writeAll(file: string, bytes: Bytes): Promise<void> {
  let written = 0
  // Backups hold what the application keeps secret.
  const handle = await open(file, 'wx', 0o600)
  try {
    for await (const chunk of bytes) {
      await handle.writeFile(chunk)
      written += chunk.length
    }
    await handle.sync()
    const { size } = await handle.stat()
    if (size !== written) throw new Error(`it has ${size} bytes, and ${written} were written`)
  } finally {
    await handle.close()
  }
}

/** Gives a file its name unless something has it by now. */
async function putNew(partial: string, path: string): Promise<void> {
  try {
    await link(partial, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw errors.RESTORE_EXISTS({ path }, { cause: error })
    // Not every file system has links; then one more look has to do.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error
    await assertFree(path, false)
    await rename(partial, path)
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

/** The directories that were made for it, from the last to the first. */
async function removeEmpty(directory: string, first: string | undefined): Promise<void> {
  if (first === undefined || !(await stat(directory).catch(() => undefined))) return
  try {
    await rmdir(directory)
    if (directory !== first) await removeEmpty(dirname(directory), first)
  } catch {
    // Somebody has put something there meanwhile.
  }
}
