import { isAbsolute, posix, resolve } from 'node:path'
import type { ResolvedConfig } from '@holdfast/runtime'
import { defaultScriptsPath } from '../environment.ts'
import { errors } from '../errors.ts'

/** Script directories that plans use. */
export interface ScriptSetPlace {
  /** The first plan that uses it. */
  readonly plan: string
  /** On this machine. */
  readonly local: string
  /** In the container. */
  readonly mountPath: string
}

/** Options of {@link scriptSetsOf}. */
export interface ScriptSetsOptions {
  readonly cwd: string
  /** Where the scripts are on this machine that are in `/scripts` in the container. */
  readonly scripts: string | undefined
}

/**
 * The script directories of a configuration, each once. A relative path is relative to the working directory, which is
 * `/` in the container.
 *
 * @throws HoldfastError `OPTION_INVALID` when no plan uses the directory that was named
 */
export function scriptSetsOf(config: ResolvedConfig, { cwd, scripts }: ScriptSetsOptions): readonly ScriptSetPlace[] {
  const places = new Map<string, ScriptSetPlace>()
  const named = scripts === undefined ? undefined : resolve(cwd, scripts)
  for (const { name: plan, participants } of config.plans) {
    for (const { kind, name, config: options } of participants) {
      if (kind !== 'plugin' || name !== 'scripts') continue
      const { path = defaultScriptsPath } = (options ?? {}) as { readonly path?: string }
      const inContainer = isAbsolute(path) ? path : posix.resolve('/', path)
      // Without a file there is one set, and its path is a matter of this machine.
      const mountPath = config.source === 'environment' ? defaultScriptsPath : inContainer
      const local = mountPath === defaultScriptsPath && named !== undefined ? named : resolve(cwd, path)
      if (!places.has(mountPath)) places.set(mountPath, { plan, local, mountPath })
    }
  }
  if (named !== undefined && !places.has(defaultScriptsPath)) {
    const allowed = `a directory for a plan that uses scripts({ path: '${defaultScriptsPath}' }), and there is none`
    throw errors.OPTION_INVALID({ option: '--scripts', value: scripts ?? '', allowed })
  }
  return [...places.values()]
}
