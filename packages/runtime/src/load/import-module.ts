import { dirname, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { errors } from '../errors.ts'
import { suggest } from './did-you-mean.ts'
import { describeModuleError } from './module-error.ts'
import type { ModuleLoader } from './module-loader.ts'
import type { Position } from './problems.ts'
import type { HoldfastError } from '@holdfast/sdk'

/** Modules that the app brings along, by specifier: `'@holdfast/plugin-scripts'`. */
export type Builtins = Readonly<Record<string, () => Promise<Record<string, unknown>>>>

/** `module#export`, taken apart. */
export interface ModuleReference {
  /** A package, or a path that begins with `./`, `../` or `/`. */
  readonly module: string
  /** `undefined`: the default export. */
  readonly export: string | undefined
}

/** What a reference led to. */
export interface ImportedModule {
  readonly exports: Readonly<Record<string, unknown>>
  /** The file, or the specifier of a package. */
  readonly source: string
  readonly isFile: boolean
}

/** A module that could not be imported, and the place in it, where that is known. */
export interface ImportFailure {
  readonly error: HoldfastError
  readonly position: Position | undefined
}

/** Where modules come from. */
export interface ImportContext {
  readonly loader: ModuleLoader
  /** The file that names the modules; its directory counts. */
  readonly from: string
  readonly builtins: Builtins
  /** What was imported already: a thousand plans may use one plugin. */
  readonly imported: Map<string, Promise<ImportedModule | ImportFailure>>
}

/** Takes `module#export` apart; a path may contain a `#` only where an export is named after it. */
export function parseReference(text: string): ModuleReference {
  const hash = text.lastIndexOf('#')
  return hash <= 0 ? { module: text, export: undefined } : { module: text.slice(0, hash), export: text.slice(hash + 1) }
}

/** Whether a reference's module is a file. */
export function isPath(module: string): boolean {
  return /^\.{0,2}\//.test(module)
}

/**
 * Imports a module as the configuration's file would; a package that isn't there may be one that the app brings along.
 *
 * @returns the module, or `{ error, position }` with `MODULE_NOT_FOUND` or `MODULE_FAILED`
 */
export function importModule(module: string, context: ImportContext): Promise<ImportedModule | ImportFailure> {
  const { imported } = context
  const found = imported.get(module) ?? importNow(module, context)
  imported.set(module, found)
  return found
}

async function importNow(module: string, context: ImportContext): Promise<ImportedModule | ImportFailure> {
  const { loader, from, builtins } = context
  const file = isPath(module) ? resolve(dirname(from), module) : undefined
  try {
    const exports = withoutInterop(await loader.import(file === undefined ? module : pathToFileURL(file).href, from))
    return { exports, source: file ?? module, isFile: file !== undefined }
  } catch (thrown) {
    const failure = await describeModuleError(thrown, file ?? from, loader.files)
    const itself = failure.missing === module || (file !== undefined && failure.missing === pathToFileURL(file).href)
    const builtin = itself && Object.hasOwn(builtins, module) ? builtins[module] : undefined
    if (builtin !== undefined) return { exports: await builtin(), source: module, isFile: false }
    if (itself) {
      const suggestion = suggestModule(module, builtins)
      const error = errors.MODULE_NOT_FOUND({ module, from: dirname(from), suggestion }, { cause: thrown })
      return { error, position: undefined }
    }
    const error = errors.MODULE_FAILED({ module, reason: failure.reason }, { cause: thrown })
    return { error, position: file === undefined ? undefined : failure.position }
  }
}

/**
 * What the author of a CommonJS module has exported. To Node its default export is all of its exports, also where it was
 * compiled from ES modules and has a default of its own; and names that Node doesn't see in the source are in there only.
 */
function withoutInterop(exports: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  // Node 22 has no name for the whole.
  const whole = exports['module.exports'] ?? exports['default']
  if (typeof whole !== 'object' || whole === null) return exports
  if (exports['module.exports'] === undefined && !('__esModule' in whole)) return exports
  const { default: node, ...named } = exports
  const { __esModule: isCompiled, ...all } = { ...named, ...whole } as Readonly<Record<string, unknown>>
  // What was compiled has a default of its own, or none.
  return isCompiled === true ? all : { ...all, default: node }
}

function suggestModule(module: string, builtins: Builtins): string {
  // `hooks/freeze.ts` is a package to Node.
  if (!isPath(module) && /\.[cm]?[jt]s$/.test(module)) return `Did you mean "./${module}"? `
  return isPath(module) ? '' : suggest(module, Object.keys(builtins))
}

/** An export by its name, or `EXPORT_MISSING`. */
export function pickExport(imported: ImportedModule, name: string): unknown {
  if (Object.hasOwn(imported.exports, name)) return imported.exports[name]
  const names = Object.keys(imported.exports).filter((key) => key !== 'module.exports')
  const onlyDefault = names.length === 1 && names[0] === 'default'
  throw errors.EXPORT_MISSING({
    module: imported.source,
    export: name,
    exports: names.length === 0 ? 'nothing' : names.join(', '),
    suggestion: onlyDefault ? `Write "#default", or export it as "${name}". ` : suggest(name, names),
  })
}

/** A file for people: relative to a directory when it is inside it. */
export function displayPath(file: string, directory: string): string {
  const path = relative(directory, file)
  return path === '' || path.startsWith('..') ? file : path
}
