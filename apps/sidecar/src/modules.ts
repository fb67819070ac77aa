import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStorage as openByUrl, type Builtins } from '@holdfast/runtime'
import type { StorageDriver } from '@holdfast/sdk'

/** Plugins and stores that a configuration may name although they aren't installed beside it. */
export const builtins: Builtins = {
  '@holdfast/plugin-benji': () => import('@holdfast/plugin-benji'),
  '@holdfast/plugin-mongodump': () => import('@holdfast/plugin-mongodump'),
  '@holdfast/plugin-scripts': () => import('@holdfast/plugin-scripts'),
  '@holdfast/storage-s3': () => import('@holdfast/storage-s3'),
}

/**
 * What a user's own hooks may import although it isn't installed beside them: a hook in a ConfigMap has no
 * `node_modules`. The bundle has these as files of their own, which share everything with the rest of it.
 */
export function providedModules(): Readonly<Record<string, string>> {
  const specifiers = [
    '@holdfast/sdk',
    '@holdfast/runtime',
    '@holdfast/plugin-benji',
    '@holdfast/plugin-mongodump',
    '@holdfast/plugin-scripts',
    '@holdfast/storage-s3',
    'zod',
  ]
  const isBundle = import.meta.url.endsWith('.js')
  const urlOf = (specifier: string): string =>
    isBundle ? new URL(`./${basename(specifier)}.js`, import.meta.url).href : import.meta.resolve(specifier)
  return Object.fromEntries(specifiers.map((specifier) => [specifier, urlOf(specifier)]))
}

/**
 * The store behind an address, see the engine's own; the drivers that come along need not be installed.
 *
 * @throws HoldfastError `STORAGE_URL_INVALID`, `STORAGE_UNKNOWN`, and what the driver throws
 */
export function openStorage(address: string): Promise<StorageDriver> {
  return openByUrl(address, {
    import: (specifier) => {
      const builtin = Object.hasOwn(builtins, specifier) ? builtins[specifier] : undefined
      return builtin === undefined ? (import(specifier) as Promise<unknown>) : builtin()
    },
  })
}

/** Where `save_var` and the other commands for scripts are. */
export const commandDirectory = fileURLToPath(new URL('../bin', import.meta.url))
