import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { HoldfastError } from '@holdfast/sdk'
import { rootOf, type ScriptsConfig } from './config.ts'
import { readHookDirectory } from './discover.ts'
import { binOf, searchPathOf } from './environment.ts'
import { errors } from './errors.ts'
import { isScriptDirectory, scriptDirectories, type ScriptDirectory } from './hooks.ts'
import { nearlyNamed } from './near-names.ts'
import { lintFiles, type Linted, type Script } from './script.ts'

/** All scripts as they were at one moment. A run reads its set once and keeps to it. */
export interface ScriptSet {
  /** The directory that holds a directory per hook. */
  readonly root: string
  /** The `PATH` of the scripts. */
  readonly searchPath: string
  readonly directories: { readonly [Directory in ScriptDirectory]: Linted }
  /** What is wrong with the set as such. */
  readonly problems: readonly HoldfastError[]
}

/** Reads the scripts of all hooks, and what would keep them from running. */
export async function readScriptSet(config: ScriptsConfig): Promise<ScriptSet> {
  const root = rootOf(config)
  const searchPath = searchPathOf(binOf(config), process.env.PATH ?? '')
  const read = async (directory: ScriptDirectory): Promise<[ScriptDirectory, Linted]> => {
    const { files, problems } = await readHookDirectory(join(root, directory))
    const linted = lintFiles(files, searchPath)
    return [directory, { ...linted, problems: [...problems, ...linted.problems] }]
  }
  const [problems, ...directories] = await Promise.all([lintScriptRoot(root), ...scriptDirectories.map(read)])
  return { root, searchPath, directories: Object.fromEntries(directories) as ScriptSet['directories'], problems }
}

/**
 * What is wrong with the directory that holds a directory per hook: it is missing, or has directories that look like a
 * hook but are none.
 */
export async function lintScriptRoot(root: string): Promise<readonly HoldfastError[]> {
  let names: string[]
  try {
    names = await readdir(root)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? [errors.SCRIPTS_PATH_MISSING({ path: root })]
      : [errors.SCRIPTS_UNREADABLE({ path: root, reason: code ?? message }, { cause: error })]
  }
  const problems: HoldfastError[] = []
  for (const name of names.toSorted()) {
    const meant = name.startsWith('..') || isScriptDirectory(name) ? undefined : nearlyNamed(name)
    if (meant === undefined) continue
    const directory = join(root, name)
    const isDirectory = await stat(directory).then(
      (found) => found.isDirectory(),
      () => false,
    )
    if (isDirectory) problems.push(errors.SCRIPTS_DIRECTORY_NAME({ directory, meant: join(root, meant) }))
  }
  return problems
}

/** The first script of a set whose text, or whose undo's, contains a word. */
export function scriptUsing(
  set: ScriptSet,
  word: string,
  within: readonly ScriptDirectory[] = scriptDirectories,
): Script | undefined {
  return within
    .flatMap((directory) => set.directories[directory].scripts)
    .find(({ bytes, undo }) => [bytes, undo?.bytes].some((text) => text && Buffer.from(text).includes(word)))
}
