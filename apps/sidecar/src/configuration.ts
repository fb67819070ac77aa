import { isHoldfastError, type StorageDriver } from '@holdfast/sdk'
import {
  findCopyOfStore,
  fsStorage,
  loadConfig,
  openStorageAddress,
  problemsOf,
  type LoadConfigOptions,
  type LoadedConfig,
  type ResolvedConfig,
} from '@holdfast/runtime'
import { join } from 'node:path'
import type { CommandContext } from './context.ts'
import { environmentForm } from './environment.ts'
import { instanceOfPod } from './instance.ts'
import { builtins, openStorage, providedModules } from './modules.ts'

/**
 * Loads the configuration that a command works with, and says what is odd about it.
 *
 * @throws HoldfastError `CONFIG_INVALID`
 */
export async function openConfiguration(context: CommandContext): Promise<LoadedConfig> {
  const loaded = await loadQuietly(context)
  for (const warning of loaded.warnings) context.warn(warning)
  return loaded
}

/**
 * Loads it if there is one.
 *
 * @returns `undefined` where nobody wrote one
 * @throws HoldfastError `CONFIG_INVALID`
 */
export async function findConfiguration(context: CommandContext): Promise<LoadedConfig | undefined> {
  try {
    return await openConfiguration(context)
  } catch (error) {
    if (isHoldfastError(error) && problemsOf(error).some(({ code }) => code === 'CONFIG_NOT_FOUND')) return undefined
    throw error
  }
}

/** Loads it without a word. */
export async function loadQuietly(context: CommandContext): Promise<LoadedConfig> {
  const { io, settings } = context
  const loaded = await loadConfig({
    path: settings.config,
    cwd: io.cwd,
    env: io.env,
    builtins,
    modules: providedModules(),
    environmentForm: (env) => environmentForm(env),
    crontabForm: async (crontab, file) =>
      (await import('./crontab.ts')).crontabForm(crontab, { file, environment: io.env }),
    openStorage,
    drillScripts: async (path) => (await import('@holdfast/plugin-scripts')).drillScripts({ path }),
    defaultCopies: copiesOfVariable(settings.defaultCopies),
  })
  const config = { ...loaded.config, instance: instanceOfPod(loaded.config, io.env) }
  const url = settings.storage ?? (config.storage ? undefined : settings.defaultStorage)
  if (url === undefined) return { ...loaded, config }
  const named = { ...config, storage: await openStorageAt(url, io.cwd) }
  // Somebody reads a copy: `--storage` names it, and nothing is backed up by it.
  const problem = settings.storage === undefined ? findCopyOfStore(named) : undefined
  if (problem) throw problem
  return { ...loaded, config: named }
}

/** The copies of a configuration that names none, as they are in the environment. */
export function copiesOfVariable(addresses: readonly string[]): LoadConfigOptions['defaultCopies'] {
  return addresses.length === 0 ? undefined : { addresses, variable: 'HOLDFAST_COPIES' }
}

/**
 * Opens the store that the command line or the environment names.
 *
 * @throws HoldfastError `STORAGE_…`, `MODULE_…`, `EXPORT_MISSING`
 */
export function openStorageAt(address: string, cwd: string): Promise<StorageDriver> {
  return openStorageAddress(address, { cwd, builtins, modules: providedModules(), openStorage })
}

/** The same configuration with its store named, also where it is the default one in the state directory. */
export function withStorage(config: ResolvedConfig, stateDirectory: string): ResolvedConfig {
  return { ...config, storage: config.storage ?? fsStorage({ path: defaultStore(stateDirectory) }) }
}

/** Where artifacts are kept when nothing else is said. */
export function defaultStore(stateDirectory: string): string {
  return join(stateDirectory, 'artifacts')
}
