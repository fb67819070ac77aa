import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Builtins } from '@holdfast/runtime'

/** Plugins that a configuration may name although they aren't installed beside it. */
export const builtins: Builtins = {
  '@holdfast/plugin-benji': () => import('@holdfast/plugin-benji'),
  '@holdfast/plugin-mongodump': () => import('@holdfast/plugin-mongodump'),
  '@holdfast/plugin-scripts': () => import('@holdfast/plugin-scripts'),
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
    'zod',
  ]
  const isBundle = import.meta.url.endsWith('.js')
  const urlOf = (specifier: string): string =>
    isBundle ? new URL(`./${basename(specifier)}.js`, import.meta.url).href : import.meta.resolve(specifier)
  return Object.fromEntries(specifiers.map((specifier) => [specifier, urlOf(specifier)]))
}

/** Where `save_var` and the other commands for scripts are. */
export const commandDirectory = fileURLToPath(new URL('../bin', import.meta.url))
