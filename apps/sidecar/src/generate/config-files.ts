import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { ResolvedDrill } from '@holdfast/runtime'
import { errors } from '../errors.ts'
import { configMapLimit, isConfigMapKey, type ConfigMapFile } from './config-map.ts'

/** A file of a configuration. */
export interface ConfigFile extends ConfigMapFile {
  /** Below the configuration's directory, with `/`; the name is its key. */
  readonly path: string
  /** On this machine. */
  readonly source: string
}

/** The scripts that drills name: files, which a program starts. Functions and modules are with the configuration's own files. */
export async function drillScriptFiles(drills: readonly ResolvedDrill[]): Promise<readonly string[]> {
  const found = new Set<string>()
  for (const { expect, cleanup } of drills) {
    for (const code of [expect, cleanup]) {
      // Of functions there is nothing to check.
      if (!code?.check) continue
      const { source } = code
      if (!(await stat(source)).isDirectory()) found.add(source)
      else for (const name of await readdir(source)) if (await isFile(join(source, name))) found.add(join(source, name))
    }
  }
  return [...found].toSorted()
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path)).isFile()
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
    read.push({ name, path: parts.join('/'), source: file, bytes: await readFile(file) })
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
