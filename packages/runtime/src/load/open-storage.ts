import type { StorageDriver } from '@holdfast/sdk'
import { join } from 'node:path'
import type { LoadConfigOptions } from './load-config.ts'
import { provideModules } from './module-fallback.ts'
import { createModuleLoader } from './module-loader.ts'
import { openStore } from './resolve-storage.ts'

/** What the app brings along for {@link openStorageAddress}. */
export type OpenStorageOptions = Pick<LoadConfigOptions, 'cwd' | 'builtins' | 'modules' | 'openStorage' | 'clock'>

/**
 * Opens the store that `--storage` or `HOLDFAST_STORAGE` names, by URL or `module#export:{json}`.
 *
 * @throws HoldfastError `STORAGE_INVALID`, `MODULE_NOT_FOUND`, `MODULE_FAILED`, `EXPORT_MISSING`, and what opening throws
 */
export async function openStorageAddress(address: string, options: OpenStorageOptions): Promise<StorageDriver> {
  provideModules(options.modules ?? {})
  const { cwd, clock, builtins = {}, openStorage } = options
  const from = join(cwd, 'storage')
  const context = { loader: createModuleLoader(clock), from, builtins, imported: new Map(), openStorage }
  const opened = await openStore(address, context)
  if ('error' in opened) throw opened.error
  return opened
}
