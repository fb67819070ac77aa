import type { Dirent, Stats } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from './fs-errors.ts'
import { keyOfName } from './fs-paths.ts'
import type { FileSystem } from './file-system.ts'
import { mapInOrder } from './in-order.ts'

/** Bytes that are read at once. */
const readSize = 1024 * 1024

/** Reads a file, or the part from `start` to before `end`. */
export async function* readFile(
  fs: FileSystem,
  path: string,
  range: { readonly start: number; readonly end?: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const file = await fs.open(path, 'r')
  try {
    const { size } = await file.stat()
    const end = Math.min(range.end ?? Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER)
    for (let at = range.start; at < end;) {
      // A byte more than the file has left, so that its end shows at once.
      const length = Math.min(readSize, end - at, Math.max(0, size - at) + 1)
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, at)
      signal.throwIfAborted()
      if (bytesRead === 0) return
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

interface Walk {
  readonly directory: string
  /** What the keys of everything in the directory begin with. */
  readonly key: string
  readonly prefix: string
  readonly signal: AbortSignal
}

/** The objects below a directory, in the order of their keys. */
export async function* listFiles(
  fs: FileSystem,
  { directory, key, prefix, signal }: Walk,
): AsyncGenerator<{ key: string; size: number }> {
  signal.throwIfAborted()
  const found: { readonly key: string; readonly name: string }[] = []
  for (const entry of await entriesOf(fs, directory)) {
    const kind = entry.isDirectory() ? 'directory' : entry.isFile() ? 'file' : undefined
    const entryKey = kind && keyOfName(key, entry.name, kind)
    if (entryKey === undefined) continue
    const wanted = entryKey.startsWith(prefix) || (kind === 'directory' && prefix.startsWith(entryKey))
    if (wanted) found.push({ key: entryKey, name: kind === 'directory' ? `${entry.name}/` : entry.name })
  }
  // Keys are ASCII: the order of code units is that of code points. A directory sorts as what all keys in it begin with.
  found.sort((a, b) => (a.key < b.key ? -1 : 1))
  const sized = mapInOrder(found, 16, async (entry) => ({
    ...entry,
    size: entry.name.endsWith('/') ? undefined : (await statFile(fs, join(directory, entry.name)))?.size,
  }))
  for await (const entry of sized) {
    if (entry.name.endsWith('/'))
      yield* listFiles(fs, { directory: join(directory, entry.name), key: entry.key, prefix, signal })
    else if (entry.size !== undefined) yield { key: entry.key, size: entry.size }
  }
}

/** The entries of a directory; none where there is no such directory. */
export async function entriesOf(fs: FileSystem, directory: string): Promise<Dirent[]> {
  try {
    return await fs.readdir(directory, { withFileTypes: true })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return []
    throw error
  }
}

/** `undefined` for a file that is gone. */
export async function statFile(fs: FileSystem, path: string): Promise<Stats | undefined> {
  try {
    return await fs.lstat(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
