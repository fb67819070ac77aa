import {
  isHoldfastError,
  type Awaitable,
  type HoldfastConfig,
  type HoldfastFailure,
  type StorageDriver,
} from '@holdfast/sdk'
import { join } from 'node:path'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import { loadCrontab, type CrontabForm } from './crontab-config.ts'
import type { ConfigDraft } from './draft.ts'
import { fingerprint, unknownFingerprint, type Fingerprint } from './fingerprint.ts'
import { findConfig, type FindConfigOptions, type FoundConfig } from './find-config.ts'
import type { Builtins } from './import-module.ts'
import { checkInterpolation } from './interpolation.ts'
import { loadModuleConfig } from './module-config.ts'
import { provideModules } from './module-fallback.ts'
import { createModuleLoader, type ModuleLoader } from './module-loader.ts'
import { collectProblems, invalidConfig, type Problems } from './problems.ts'
import { readConfigText } from './read-text.ts'
import { resolveConfig, type ResolvedDraft } from './resolve-config.ts'
import type { DefaultCopies } from './resolve-copies.ts'
import type { DrillScriptsForm } from './resolve-drill-code.ts'
import { parseYaml } from './yaml-config.ts'

/** Where the configuration is, and what the app brings along for it. */
export interface LoadConfigOptions extends FindConfigOptions {
  /** Modules that a `module#export` may name although they aren't installed beside the configuration. */
  readonly builtins?: Builtins | undefined
  /** Modules that any hook may import although they aren't installed beside it: specifier → file URL. */
  readonly modules?: Readonly<Record<string, string>> | undefined
  /** The configuration without a file, from variables; `undefined` when they say nothing. */
  readonly environmentForm?: ((env: NodeJS.ProcessEnv) => Awaitable<HoldfastConfig | undefined>) | undefined
  /** The configuration that a crontab means. */
  readonly crontabForm?: CrontabForm | undefined
  /** Opens the store at a URL. */
  readonly openStorage?: ((url: string) => Promise<StorageDriver>) | undefined
  /** What a script or a directory of scripts is that a drill names. */
  readonly drillScripts?: DrillScriptsForm | undefined
  /** Copies for configurations that name none: addresses, and the variable that they are in. */
  readonly defaultCopies?: DefaultCopies | undefined
  /** For the time that a module may take to load (30 s). Default: the machine's. */
  readonly clock?: Pick<RuntimeClock, 'setTimer'> | undefined
}

/** A configuration that can be run. */
export interface LoadedConfig extends ResolvedDraft {
  /** What doesn't stop anything, but should be looked at. */
  readonly warnings: readonly HoldfastFailure[]
  /** Every file that was read, absolute and sorted: a change in one of them is a change of the configuration. */
  readonly files: readonly string[]
  /** Those files as they were, for {@link watchConfig}. */
  readonly fingerprint: Fingerprint
}

/**
 * Finds, reads and checks the configuration, whatever it is written in.
 *
 * Loading again sees what has changed: the file, hook modules and whatever they import by a relative path are
 * evaluated anew. Packages are not: they need a new process. What a hook imports while it runs is not watched. Node keeps
 * the code of every load until the process ends, so load when something changed, not in a loop.
 *
 * @throws HoldfastError `CONFIG_INVALID`, with everything that is wrong in `details.problems` ({@link ConfigProblem}) and
 * what was read in `details.files`
 * @example
 * ```ts
 * const { config, warnings } = await loadConfig({ cwd: process.cwd(), env: process.env })
 * ```
 */
export async function loadConfig(options: LoadConfigOptions): Promise<LoadedConfig> {
  provideModules(options.modules ?? {})
  const loader = createModuleLoader(options.clock)
  let source = 'environment'
  let draft: ConfigDraft | undefined
  const problems = collectProblems((path, part) => draft?.locate(path, part))
  let resolved: ResolvedDraft | undefined
  let before: Fingerprint | undefined
  try {
    const found = await findConfig(options)
    if (found.file !== undefined) {
      source = found.file
      before = await fingerprint([source])
    }
    for (const warning of found.warnings) problems.warn(warning)
    draft = await readDraft(found, options, loader, problems)
    if (draft !== undefined) {
      if (draft.form === 'yaml') checkInterpolation(draft.value, problems)
      // Modules are named relative to the file, or to the working directory where there is none.
      const from = found.file ?? join(options.cwd, 'environment')
      const { builtins = {}, openStorage, drillScripts, defaultCopies } = options
      const imported = new Map()
      const given = { builtins, imported, openStorage, drillScripts, defaultCopies }
      resolved = await resolveConfig({ draft, problems, loader, from, ...given })
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    problems.addAll(error)
  }
  const read = [...new Set([...(source === 'environment' ? [] : [source]), ...loader.files])].toSorted()
  if (resolved === undefined) throw invalidConfig(source, problems.problems, read)
  // What was written while it was read is for the next time.
  const settled = before === undefined || (await fingerprint([source])).content === before.content
  const now = settled ? await fingerprint(read) : unknownFingerprint
  return { ...resolved, warnings: problems.warnings, files: read, fingerprint: now }
}

async function readDraft(
  { form, file = '' }: FoundConfig,
  options: LoadConfigOptions,
  loader: ModuleLoader,
  problems: Problems,
): Promise<ConfigDraft | undefined> {
  switch (form) {
    case 'module':
      return loadModuleConfig(file, loader, problems)
    case 'yaml': {
      const yaml = await parseYaml(await readConfigText(file), file, problems)
      return yaml && { form, source: file, exported: new Map(), ...yaml }
    }
    case 'crontab':
      if (options.crontabForm === undefined) throw errors.CONFIG_FORM_UNKNOWN({ file })
      return loadCrontab(file, options.env, options.crontabForm, problems)
    case 'environment': {
      const value = await options.environmentForm?.(options.env)
      if (value !== undefined) return { form, source: form, value, locate: () => undefined, exported: new Map() }
      const searched = [...new Set([options.cwd, options.etc ?? '/etc/holdfast'])].join(' and ')
      throw errors.CONFIG_NOT_FOUND({ searched })
    }
  }
}
