import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  errors as scriptErrors,
  lintScriptRoot,
  readHookDirectory,
  scriptDirectories,
  type FoundFile,
  type ScriptDirectory,
} from '@holdfast/plugin-scripts'
import type { HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { configMapLimit, isConfigMapKey, type ConfigMapFile } from './config-map.ts'
import { foreignOwner } from './foreign-owner.ts'

/** The files of one hook, in the order in which they run. */
export interface HookFiles {
  readonly directory: ScriptDirectory
  readonly files: readonly ConfigMapFile[]
}

/** The first words of what `make-k8s-cfg-files` writes: such a file is no script, wherever it lies. */
export const generatedBy = '# Made by make-k8s-cfg-files'

/**
 * Reads the scripts below a directory, hook by hook, as a run would find them; hooks without any are left out.
 *
 * @param root - the directory that holds a directory per hook; absolute
 * @throws HoldfastError `GENERATE_REFUSED`, with everything that is wrong in `details.problems`
 */
export async function readScriptFiles(root: string): Promise<readonly HookFiles[]> {
  const hooks: HookFiles[] = []
  const problems: HoldfastError[] = await Promise.all((await lintScriptRoot(root)).map(explain))
  // What can't be read has no directories of its own to complain about.
  const directories = problems.some(({ details }) => details['path'] === root) ? [] : scriptDirectories
  for (const directory of directories) {
    const path = join(root, directory)
    const discovery = await readHookDirectory(path)
    const found = discovery.files.filter((file) => !isGenerated(file))
    problems.push(...(await Promise.all(discovery.problems.map(explain))), ...found.flatMap(checkKey))
    const size = found.reduce((sum, file) => sum + file.size, 0)
    if (size > configMapLimit) problems.push(tooLarge(path, found, size))
    if (found.length > 0) hooks.push({ directory, files: found })
  }
  if (problems.length === 0) return hooks
  const listed = problems.map(({ code, message, hint = '' }) => ({ code, message, hint }))
  const [first] = problems
  throw errors.GENERATE_REFUSED(
    { path: root, count: problems.length, first: first?.message ?? '' },
    { details: { problems: listed } },
  )
}

function isGenerated({ bytes }: FoundFile): boolean {
  return Buffer.from(bytes.subarray(0, generatedBy.length)).toString('latin1') === generatedBy
}

function checkKey({ name, path }: FoundFile): readonly HoldfastError[] {
  return isConfigMapKey(name) ? [] : [errors.GENERATE_KEY_INVALID({ file: path })]
}

function tooLarge(path: string, files: readonly FoundFile[], size: number): HoldfastError {
  const largest = files
    .toSorted((a, b) => b.size - a.size)
    .slice(0, 3)
    .map((file) => `${file.name} (${file.size} bytes)`)
  return errors.GENERATE_TOO_LARGE({ path, size, limit: configMapLimit, largest: largest.join(', ') })
}

/** A file that belongs to somebody else is no fault of the scripts, but of how we were started. */
async function explain(problem: HoldfastError): Promise<HoldfastError> {
  const { code, details, cause } = problem
  const { path } = details
  if (code !== scriptErrors.SCRIPTS_UNREADABLE.code || typeof path !== 'string') return problem
  return foreignOwner('read', path, cause, await stat(path).catch(() => undefined)) ?? problem
}
