import { constants, type Stats } from 'node:fs'
import { access, open, readdir, readlink, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { errors } from './errors.ts'

/** Files up to this size are remembered whole, so that a run can go on with the scripts it began with. */
const rememberedBytes = 1024 * 1024

/** A regular file of a hook's directory, as it was when the run began. */
export interface FoundFile {
  readonly name: string
  /** As the user knows it: what the script sees as its own path, links and all. */
  readonly path: string
  readonly mode: number
  /** Changes when the file is written to or replaced. */
  readonly fingerprint: string
  /** Whether the system lets us start it: the right mode for this user, and no `noexec` mount. */
  readonly executable: boolean
  readonly size: number
  /** The content; of a file larger than 1 MiB only that much. */
  readonly bytes: Uint8Array
}

/** What a directory holds. */
export interface Discovery {
  /** In the order in which they run. */
  readonly files: readonly FoundFile[]
  readonly problems: readonly HoldfastError[]
}

/**
 * The files of a hook's directory: all regular files, hidden ones too, but none whose name begins with `..`. Links to
 * files are followed; directories and links to them are left alone, so a ConfigMap's `..data` is. A missing directory
 * has no files.
 *
 * A ConfigMap that is exchanged meanwhile is read again, so that old and new are never mixed.
 */
export async function readHookDirectory(directory: string): Promise<Discovery> {
  for (let attempt = 1; attempt <= 10; attempt++) {
    const before = await generationOf(directory)
    const discovery = await readOnce(directory)
    if (before === (await generationOf(directory))) return discovery
  }
  return { files: [], problems: [errors.SCRIPTS_UNREADABLE({ path: directory, reason: 'it never stops changing' })] }
}

/** One file, as {@link readHookDirectory} reads those of a directory. */
export async function readScript(path: string): Promise<Discovery> {
  const found = await readOrRefuse(basename(path), path)
  if (found === undefined) return { files: [], problems: [] }
  return isHoldfastError(found) ? { files: [], problems: [found] } : { files: [found], problems: [] }
}

/** Where a ConfigMap's files are at the moment; the kubelet exchanges all of them by exchanging this link. */
function generationOf(directory: string): Promise<string | undefined> {
  return readlink(join(directory, '..data')).catch(() => undefined)
}

async function readOnce(directory: string): Promise<Discovery> {
  let names: string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { files: [], problems: [] }
    if (code === 'ENOTDIR') return { files: [], problems: [errors.SCRIPTS_NOT_A_DIRECTORY({ path: directory })] }
    return { files: [], problems: [unreadable(directory, error)] }
  }
  const inOrder = names.filter((name) => !name.startsWith('..')).toSorted(byCodePoint)
  const found = await Promise.all(inOrder.map((name) => readOrRefuse(name, join(directory, name))))
  return {
    files: found.flatMap((each) => (each === undefined || isHoldfastError(each) ? [] : [each])),
    problems: found.filter(isHoldfastError),
  }
}

async function readOrRefuse(name: string, path: string): Promise<FoundFile | HoldfastError | undefined> {
  try {
    return await readScriptFile(name, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ELOOP' ? errors.SCRIPT_DANGLING({ script: path }) : unreadable(path, error)
  }
}

async function readScriptFile(name: string, path: string): Promise<FoundFile | undefined> {
  // Looked at first: opening a pipe would wait for its writer.
  if (!(await stat(path)).isFile()) return undefined
  const handle = await open(path, 'r')
  try {
    const found = await handle.stat()
    if (!found.isFile()) return undefined
    const buffer = Buffer.alloc(Math.min(found.size, rememberedBytes))
    let length = 0
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    const { mode, size } = found
    return {
      name,
      path,
      mode,
      size,
      executable,
      fingerprint: fingerprintOf(found),
      bytes: buffer.subarray(0, length),
    }
  } finally {
    await handle.close()
  }
}

/** Tells one state of a file from another. */
export function fingerprintOf(found: Pick<Stats, 'dev' | 'ino' | 'size' | 'mtimeMs' | 'mode'>): string {
  return `${found.dev}:${found.ino}:${found.size}:${found.mtimeMs}:${found.mode}`
}

/** Whether a file's content is remembered in full. */
export function isRemembered(file: FoundFile): boolean {
  return file.bytes.length === file.size
}

/** UTF-8 bytes are in the order of code points; UTF-16, which `<` compares, is not. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function unreadable(path: string, error: unknown): HoldfastError {
  const { code, message } = error as NodeJS.ErrnoException
  return errors.SCRIPTS_UNREADABLE({ path, reason: code ?? message }, { cause: error })
}
