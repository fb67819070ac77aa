import { isHoldfastError, type HookModule, type Plugin } from '@holdfast/sdk'
import { basename, dirname, extname } from 'node:path'
import { errors } from '../errors.ts'
import type { ResolveContext } from './context.ts'
import { describeExport, describeValue, isHookModule, isPlugin, isPluginFactory, typeOf } from './describe-export.ts'
import { displayPath, importModule, isPath, parseReference, pickExport, type ImportedModule } from './import-module.ts'
import { formatPath, type Path } from './problems.ts'

/** Something that a plan uses, ready to be resolved. */
export type Used =
  | { readonly kind: 'plugin'; readonly plugin: Plugin; readonly source: string; readonly path: Path }
  | {
      readonly kind: 'hook'
      readonly hook: HookModule
      /** Its name if it doesn't say one itself. */
      readonly name: string
      readonly source: string
      readonly path: Path
    }

/** Finds what an entry of `use` means; `undefined` when it means nothing, with the reason among the problems. */
export async function resolveUse(item: unknown, path: Path, context: ResolveContext): Promise<Used | undefined> {
  if (context.draft.form === 'yaml') return useByReference(item, path, context)
  const { source, exported } = context.draft
  if (isPlugin(item)) return { kind: 'plugin', plugin: item, source, path }
  if (isHookModule(item)) {
    const from = exported.get(item)
    return {
      kind: 'hook',
      hook: item,
      name: hookName(from?.file, from?.name, item),
      source: from?.file ?? source,
      path,
    }
  }
  context.problems.add(errors.PLUGIN_INCOMPATIBLE({ what: formatPath(path), reason: `it is ${whyNot(item)}` }), {
    path,
  })
  return undefined
}

async function useByReference(item: unknown, path: Path, context: ResolveContext): Promise<Used | undefined> {
  const entry = readEntry(item)
  if (entry === undefined) {
    const reason = 'must be a path or module#export, or one of them with its options, and a `name` if it needs one'
    context.problems.add(errors.CONFIG_VALUE({ path: formatPath(path), reason }), { path })
    return undefined
  }
  const { text, options, name } = entry
  const itemPath = entry.isMap ? [...path, text] : path
  const reference = parseReference(text)
  const imported = await importModule(reference.module, context)
  if ('error' in imported) {
    context.problems.add(imported.error, { path: itemPath, part: 'key', position: imported.position })
    return undefined
  }
  const value = exportOf(imported, reference.export, itemPath, context)
  if (value === undefined) return undefined
  const source = imported.isFile ? imported.source : text
  if (isPluginFactory(value)) {
    const plugin = value(options ?? {}, name === undefined ? undefined : { name })
    return { kind: 'plugin', plugin, source, path: itemPath }
  }
  if (options !== undefined && options !== null) {
    const reason = 'is a hook module, which takes no options'
    context.problems.add(errors.CONFIG_VALUE({ path: formatPath(itemPath), reason }), { path: itemPath })
  }
  const hook = value as HookModule
  const named = name ?? hook.name ?? hookName(imported.source, reference.export, hook)
  return { kind: 'hook', hook: { ...hook, name: named } as HookModule, name: named, source, path: itemPath }
}

interface Entry {
  readonly text: string
  readonly options: unknown
  readonly name: string | undefined
  readonly isMap: boolean
}

// `./hook.ts`, `module#export`, or { 'module#export': options, name: … }.
function readEntry(item: unknown): Entry | undefined {
  if (typeof item === 'string') return { text: item, options: undefined, name: undefined, isMap: false }
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined
  const { name, ...rest } = item as Readonly<Record<string, unknown>>
  const [only, ...others] = Object.entries(rest)
  if (only === undefined || others.length > 0 || (name !== undefined && typeof name !== 'string')) return undefined
  return { text: only[0], options: only[1], name, isMap: true }
}

// The default export of a path is a hook; a named one, of a path or a package, is a hook or a plugin.
function exportOf(
  imported: ImportedModule,
  name: string | undefined,
  path: Path,
  { problems, from }: ResolveContext,
): unknown {
  const module = imported.isFile ? displayPath(imported.source, dirname(from)) : imported.source
  if (name === undefined && !imported.isFile) {
    const names = Object.keys(imported.exports).filter((key) => isPluginFactory(imported.exports[key]))
    const fix = `Write module#export: ${names.map((key) => `"${module}#${key}"`).join(', ') || `"${module}#…"`}.`
    problems.add(errors.HOOK_MODULE_INVALID({ module, found: 'a whole module', fix }), { path, part: 'key' })
    return undefined
  }
  try {
    const value = name === undefined ? imported.exports['default'] : pickExport(imported, name)
    if (isHookModule(value) || (name !== undefined && isPluginFactory(value))) return value
    const found = name === undefined ? describeExport(imported.exports) : describeValue(value)
    const type = typeOf(value)
    const error =
      type === undefined || isPlugin(value)
        ? errors.HOOK_MODULE_INVALID({ module, found, fix: fixOf(imported, name, module, value) })
        : errors.PLUGIN_INCOMPATIBLE({ what: module, reason: `it is ${whyNot(value)}` })
    problems.add(error, { path, part: 'key' })
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    problems.add(error, { path, part: 'key' })
  }
  return undefined
}

function fixOf(imported: ImportedModule, name: string | undefined, module: string, value: unknown): string | undefined {
  if (isPlugin(value)) {
    return 'It was called with its options already, and the configuration has none to give. Export what definePlugin returns, without calling it; a plugin with its options belongs into `use` of a holdfast.config.ts.'
  }
  const factories = Object.keys(imported.exports).filter((key) => isPluginFactory(imported.exports[key]))
  const factory = factories.find((key) => key !== 'default') ?? factories[0]
  const shown = imported.isFile && !isPath(module) ? `./${module}` : module
  return name === undefined && factory !== undefined
    ? `It is a plugin: write "${shown}#${factory}" with its options.`
    : undefined
}

function whyNot(value: unknown): string {
  const type = typeOf(value)
  if (type === undefined || isPluginFactory(value)) return describeValue(value)
  return type === 'holdfast.plugin/v1'
    ? 'not made by definePlugin'
    : `of type "${type}", which belongs to another major version of the SDK`
}

function hookName(file: string | undefined, exported: string | undefined, hook: HookModule): string {
  if (hook.name !== undefined) return hook.name
  if (exported !== undefined && exported !== 'default') return exported
  return file === undefined ? hook.hook : basename(file, extname(file))
}
