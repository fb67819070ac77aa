import { definePlugin, type Plugin, type PluginFactory } from '@holdfast/sdk'
import { scriptsSchema, type ScriptsOptions } from './config.ts'
import { createHandlers } from './handlers.ts'
import { directoryOf } from './hooks.ts'
import { kindOf, type ScriptKind } from './kind.ts'
import { permissionsFor } from './permissions.ts'
import { createRestore } from './restore.ts'
import { readScriptSet } from './script-set.ts'
import { undoScript } from './undo-script.ts'

/** Makes a set of scripts. */
export interface ScriptsFactory extends PluginFactory<ScriptsOptions> {
  (options?: ScriptsOptions, instance?: { readonly name?: string }): Plugin
}

/** The directories of a run, in its order. */
const inARun = Object.values(directoryOf).filter((directory) => directory !== 'install_dependencies')

function define(kind: ScriptKind, target: string, options: unknown): PluginFactory<ScriptsOptions> {
  return definePlugin({
    name: 'scripts',
    version: '1.0.0',
    sdk: '^1.0',
    config: scriptsSchema,
    permissions: permissionsFor,
    undos: [undoScript],
    hooks: createHandlers(kind, target, options),
    restore: createRestore(target),
    async describe({ config }) {
      const { directories } = await readScriptSet(config)
      return inARun.flatMap((where) =>
        directories[where].scripts.flatMap(({ path, undo }) => [
          ...(undo ? [{ kind: 'undo' as const, what: `arms ${undo.path}`, where }] : []),
          { kind: 'exec' as const, what: `runs ${path}`, where },
        ]),
      )
    },
  })
}

/**
 * A directory of scripts as hooks: `<path>/before_backups/…`, `<path>/backups/…` and so on, in any language, as
 * sidefridge ran them. The whole set is one target, named after the plugin's instance. What makes a file a script, what
 * a script gets and what is refused is in this package's README.
 *
 * @param options - default: `/scripts`
 * @param instance - a name, where a plan uses several sets
 * @example
 * ```ts
 * const plan: Plan = { name: 'shop', schedule: { cron: '0 3 * * *' }, use: [scripts({ path: '/scripts' })] }
 * ```
 */
export const scripts: ScriptsFactory = Object.assign(
  (options: ScriptsOptions = {}, instance: { readonly name?: string } = {}): Plugin =>
    define(kindOf(options), instance.name ?? 'scripts', options)(options, instance),
  { definition: define('backs-up', 'scripts', {}).definition },
)
