// Changes to the files of a store: each is on the disk when it returns.
import { randomUUID } from 'node:crypto'
import type * as nodeFs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Bytes } from '@holdfast/sdk'
import { abortable } from './abortable.ts'
import { errnoOf } from './fs-errors.ts'
import type { FileSystem } from './file-system.ts'
import { isTemporary, keyOfName, temporaryName } from './fs-paths.ts'
import { entriesOf, statFile } from './fs-read.ts'

/** After so many bytes what was written starts its way to the disk, while the next are being made. */
const syncEvery = 64 * 1024 * 1024

/** Writes a file beside its final name, syncs it, and renames it; on failure nothing of it is left. */
export async function putFile(fs: FileSystem, final: string, body: Bytes, signal: AbortSignal): Promise<void> {
  const directory = dirname(final)
  const temporary = join(directory, temporaryName(randomUUID()))
  const file = await openNew(fs, directory, temporary)
  try {
    try {
      await writeAll(file, body, signal)
      signal.throwIfAborted()
    } finally {
      await file.close()
    }
    await fs.rename(temporary, final)
  } catch (error) {
    // What can't be removed now is swept later; the first error says why.
    await fs.unlink(temporary).catch(() => {})
    throw error
  }
  try {
    await syncDirectory(fs, directory)
  } catch (error) {
    // It could vanish with the power, so it must not look stored.
    await fs.unlink(final).catch(() => {})
    throw error
  }
}

// A delete beside us may remove the directory, empty as it is, between making it and using it.
async function openNew(fs: FileSystem, directory: string, path: string): Promise<nodeFs.FileHandle> {
  for (let attempt = 1; ; attempt++) {
    await makeDirectory(fs, directory)
    try {
      return await fs.open(path, 'wx', 0o640)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === 10) throw error
    }
  }
}

async function writeAll(file: nodeFs.FileHandle, body: Bytes, signal: AbortSignal): Promise<void> {
  let unsynced = 0
  let syncing: Promise<void> = Promise.resolve()
  try {
    for await (const chunk of abortable(body, signal)) {
      for (let written = 0; written < chunk.byteLength;) {
        const { bytesWritten } = await file.write(chunk, written)
        // No progress and no error: asking again for ever would help nobody.
        if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO', syscall: 'write' })
        written += bytesWritten
      }
      unsynced += chunk.byteLength
      if (unsynced >= syncEvery) {
        unsynced = 0
        await syncing
        syncing = file.datasync()
        syncing.catch(() => {})
      }
    }
  } finally {
    // A file must not be closed under a sync; and one that failed means that bytes are lost.
    await syncing
  }
  await file.sync()
}

async function makeDirectory(fs: FileSystem, directory: string): Promise<void> {
  try {
    await fs.mkdir(directory, { mode: 0o750 })
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'EEXIST') return
    const parent = dirname(directory)
    if (code !== 'ENOENT' || parent === directory) throw error
    await makeDirectory(fs, parent)
    return makeDirectory(fs, directory)
  }
  await syncDirectory(fs, dirname(directory))
}

// Some network file systems can't sync a directory, and need not: their server keeps the order. And one that a delete
// beside us has removed, empty as it was, has nothing to sync.
const unsyncable = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOENT'])

async function syncDirectory(fs: FileSystem, directory: string): Promise<void> {
  try {
    const handle = await fs.open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!unsyncable.has(errnoOf(error) ?? '')) throw error
  }
}

/** Removes a file, and the directories that are empty then. A file that is not there is no error. */
export async function deleteFile(fs: FileSystem, root: string, final: string): Promise<void> {
  try {
    await fs.unlink(final)
    await syncDirectory(fs, dirname(final))
  } catch (error) {
    const code = errnoOf(error) ?? ''
    if (code === 'ENOTDIR' || code === 'EISDIR') return
    // A put that failed has left its directory all the same.
    if (code !== 'ENOENT') throw error
  }
  // Tidiness only: a directory that is not empty, or is made again meanwhile, stays.
  for (let directory = dirname(final); directory !== root; directory = dirname(directory)) {
    try {
      await fs.rmdir(directory)
    } catch {
      return
    }
  }
}

/**
 * Removes what was only being written, and has not been touched since `before`.
 *
 * @returns whether there was something in the directory itself
 */
export async function sweepFiles(
  fs: FileSystem,
  directory: string,
  before: Date,
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted()
  let found = false
  for (const entry of await entriesOf(fs, directory)) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) {
      if (keyOfName('', entry.name, 'directory') === undefined) continue
      // An empty directory that was never ours to fill is somebody's.
      if (await sweepFiles(fs, path, before, signal)) await fs.rmdir(path).catch(() => {})
    } else if (entry.isFile() && isTemporary(entry.name)) {
      const stats = await statFile(fs, path)
      if (!stats || stats.mtime >= before) continue
      found = true
      await fs.unlink(path).catch(() => {})
    }
  }
  return found
}
