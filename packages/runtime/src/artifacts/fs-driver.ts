import * as nodeFs from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { StorageDriver } from '@holdfast/sdk'
import type { FileSystem } from './file-system.ts'
import { storageError } from './fs-errors.ts'
import { directoryOfPrefix, pathOfKey } from './fs-paths.ts'
import { listFiles, readFile } from './fs-read.ts'
import { deleteFile, putFile, sweepFiles } from './fs-write.ts'

export type { FileSystem } from './file-system.ts'

/** Options of {@link fsStorage}. */
export interface FsStorageOptions {
  /** The store's directory; made when something is stored, readable for its group (0750, files 0640). */
  readonly path: string
  /** @defaultValue `node:fs/promises` */
  readonly fileSystem?: FileSystem | undefined
}

/**
 * A store in a directory of this machine. An object is written beside its final name, synced and renamed, and the
 * directory is synced: after a crash or a power failure there is the old object or the new one, never half of one.
 *
 * @throws HoldfastError (its operations) `STORAGE_NOT_FOUND`, `STORAGE_FULL`, `STORAGE_READ_ONLY`, `STORAGE_IO`,
 * `STORAGE_KEY_INVALID`
 * @example
 * ```ts
 * const storage = fsStorage({ path: '/backup' })
 * ```
 */
export function fsStorage({ path, fileSystem: fs = nodeFs }: FsStorageOptions): StorageDriver {
  const root = resolve(path)

  return {
    name: 'fs',
    address: pathToFileURL(root).href,
    capabilities: { atomicPut: true, rangeRead: true, objectLock: false },
    localDirectory: root,

    async put(key, body, { signal }) {
      const final = pathOfKey(root, key)
      try {
        signal.throwIfAborted()
        await putFile(fs, final, body, signal)
      } catch (error) {
        throw storageError('put', key, error)
      }
    },

    async *get(key, { signal, range = { start: 0 } }) {
      try {
        signal.throwIfAborted()
        yield* readFile(fs, pathOfKey(root, key), range, signal)
      } catch (error) {
        throw storageError('get', key, error)
      }
    },

    async *list(prefix, { signal }) {
      try {
        signal.throwIfAborted()
        const { path: directory, key } = directoryOfPrefix(root, prefix)
        yield* listFiles(fs, { directory, key, prefix, signal })
      } catch (error) {
        throw storageError('list', prefix, error)
      }
    },

    async delete(key, { signal }) {
      const final = pathOfKey(root, key)
      try {
        signal.throwIfAborted()
        await deleteFile(fs, root, final)
      } catch (error) {
        throw storageError('delete', key, error)
      }
    },

    async sweep(before, { signal, prefix = '' }: { signal: AbortSignal; prefix?: string }) {
      try {
        signal.throwIfAborted()
        await sweepFiles(fs, directoryOfPrefix(root, prefix).path, before, signal)
      } catch (error) {
        throw storageError('sweep', prefix, error)
      }
    },
  }
}
