import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import { errors } from '../errors.ts'
import type { ConfigDraft } from './draft.ts'
import { describeExport } from './describe-export.ts'
import { describeModuleError } from './module-error.ts'
import type { ModuleLoader } from './module-loader.ts'
import type { Locate, Problems } from './problems.ts'

/** Loads `holdfast.config.ts` and its like; `undefined` when it can't be, with the reason among the problems. */
export async function loadModuleConfig(
  file: string,
  loader: ModuleLoader,
  problems: Pick<Problems, 'add'>,
): Promise<ConfigDraft | undefined> {
  try {
    const exports = await loader.import(pathToFileURL(file).href, file)
    if (!isObject(exports['default']) || '$type' in exports['default']) {
      problems.add(errors.CONFIG_EXPORT({ found: describeExport(exports) }), { position: { file } })
      return undefined
    }
    const locate = locateByText(file, await readFile(file, 'utf8'))
    return { form: 'module', source: file, value: exports['default'], locate, exported: await loader.exported() }
  } catch (thrown) {
    const { reason, position, syntax } = await describeModuleError(thrown, file, loader.files)
    const error = syntax
      ? errors.CONFIG_SYNTAX({ reason }, { cause: thrown })
      : errors.MODULE_FAILED({ module: basename(file), reason }, { cause: thrown })
    problems.add(error, { position: position ?? { file } })
    return undefined
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// Code has no positions once it has run. A key that is written exactly once in the file is found by its name.
function locateByText(file: string, text: string): Locate {
  return (path, part) => {
    const key = path.findLast((some) => typeof some === 'string')
    if (key === undefined) return { file }
    const name = key.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    const found = [...text.matchAll(new RegExp(String.raw`(?<![\w$.])(['"]?)${name}\1\s*:\s*`, 'g'))]
    const [match] = found
    if (match === undefined || found.length > 1) return { file }
    const before = text.slice(0, match.index + (part === 'key' ? 0 : match[0].length)).split('\n')
    return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
  }
}
