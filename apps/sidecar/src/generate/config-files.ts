import { readFile } from 'node:fs/promises'
import { dirname, relative, sep } from 'node:path'
import { errors } from '../errors.ts'
import { configMapLimit, isConfigMapKey, type ConfigMapFile } from './config-map.ts'

/** A file of a configuration. */
export interface ConfigFile extends ConfigMapFile {
  /** Below the configuration's directory, with `/`; the name is its key. */
  readonly path: string
}

/**
 * Reads a configuration's file and the modules that it imports by a relative path.
 *
 * @param source - the file
 * @param files - all of them, absolute
 * @throws HoldfastError `GENERATE_FILE_OUTSIDE`, `GENERATE_KEY_INVALID`, `GENERATE_TOO_LARGE`
 */
export async function readConfigFiles(source: string, files: readonly string[]): Promise<readonly ConfigFile[]> {
  const directory = dirname(source)
  const read: ConfigFile[] = []
  for (const file of files) {
    const parts = relative(directory, file).split(sep)
    if (parts[0] === '..') throw errors.GENERATE_FILE_OUTSIDE({ file, directory })
    // A key has no directories.
    const name = parts.join('__')
    if (!isConfigMapKey(name) || read.some((other) => other.name === name)) throw errors.GENERATE_KEY_INVALID({ file })
    read.push({ name, path: parts.join('/'), bytes: await readFile(file) })
  }
  const size = read.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (size <= configMapLimit) return read
  const [largest] = read.toSorted((a, b) => b.bytes.length - a.bytes.length)
  throw errors.GENERATE_TOO_LARGE({
    path: directory,
    size,
    limit: configMapLimit,
    largest: `${largest?.path} (${largest?.bytes.length} bytes)`,
  })
}
