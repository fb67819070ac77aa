import { internalsOf } from '@holdfast/sdk/internal'
import type { HookModule, Plugin, PluginFactory } from '@holdfast/sdk'
import { kindOf } from './schema-issue.ts'

/** Whether a value is what `definePlugin` made: a factory that has to be called. */
export function isPluginFactory(value: unknown): value is PluginFactory<unknown> {
  return typeof value === 'function' && isDefinition((value as Partial<PluginFactory<unknown>>).definition)
}

function isDefinition(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'hooks' in value && 'config' in value
}

/** Whether a value is a configured plugin whose insides can be read. */
export function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && internalsOf(value as Plugin) !== undefined
}

/** Whether a value is what `defineHook` made, of this major version. */
export function isHookModule(value: unknown): value is HookModule {
  return typeOf(value) === 'holdfast.hook/v1'
}

/** The `$type` of something of ours, of whatever version. */
export function typeOf(value: unknown): string | undefined {
  const type = typeof value === 'object' && value !== null ? (value as { readonly $type?: unknown }).$type : undefined
  return typeof type === 'string' ? type : undefined
}

/** What a value is, for people: `a plugin factory`, `a function`, `a map`. */
export function describeValue(value: unknown): string {
  if (isPluginFactory(value)) return `a plugin that has not been called with its options ("${value.definition.name}")`
  if (isPlugin(value)) return `the plugin "${value.name}"`
  if (isHookModule(value)) return 'a hook'
  const type = typeOf(value)
  if (type !== undefined) return `something of type ${type}`
  if (value instanceof Promise) return 'a promise'
  if (typeof value === 'function') return value.name === '' ? 'a function' : `a function "${value.name}"`
  return kindOf(value)
}

/** What a module exports, for people: its default export, or the names of the others. */
export function describeExport(exports: Readonly<Record<string, unknown>>): string {
  if (exports['default'] !== undefined) return describeValue(exports['default'])
  const names = Object.keys(exports).filter((name) => name !== 'default' && name !== 'module.exports')
  return names.length === 0 ? 'nothing' : `no default (only ${names.join(', ')})`
}
