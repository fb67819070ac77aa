import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { permissionsFor } from '@holdfast/plugin-scripts'
import { loadConfig, mergePermissions, neededPermissions, type LoadedConfig } from '@holdfast/runtime'
import type { Permission } from '@holdfast/sdk'
import { copiesOfVariable, findConfiguration, openStorageAt } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { environmentForm, scriptsPath } from '../environment.ts'
import { errors } from '../errors.ts'
import { openStorage } from '../modules.ts'
import { readScriptFiles, type HookFiles } from './script-files.ts'
import { scriptSetsOf, type ScriptSetPlace } from './script-sets.ts'

/** What to make manifests of. */
export interface SourceOptions {
  /** When script directories run that no configuration names. */
  readonly schedule?: string | undefined
  /** Where the scripts are on this machine that are in `/scripts` in the container. */
  readonly scripts?: string | undefined
}

/** A set of scripts with what is in it. */
export interface ScriptSetFiles extends ScriptSetPlace {
  /** `undefined`: they aren't on this machine. */
  readonly hooks: readonly HookFiles[] | undefined
}

/** What manifests are made of. */
export interface Source {
  readonly loaded: LoadedConfig
  readonly sets: readonly ScriptSetFiles[]
  /** Each resource once, in a stable order. */
  readonly permissions: readonly Permission[]
}

/**
 * Loads the configuration and reads the scripts that it uses.
 *
 * @throws HoldfastError `CONFIG_INVALID`, `OPTION_…`, `GENERATE_REFUSED`, `GENERATE_NO_SCRIPTS`
 */
export async function readSource(context: CommandContext, options: SourceOptions): Promise<Source> {
  const loaded = await openSource(context, options)
  const { config } = loaded
  const places = scriptSetsOf(config, { cwd: context.io.cwd, scripts: options.scripts })
  const sets: ScriptSetFiles[] = []
  for (const place of places) {
    const isHere = await stat(place.local).then(
      () => true,
      () => false,
    )
    if (!isHere && config.source !== 'environment') {
      context.warn(errors.GENERATE_SCRIPTS_ABSENT({ plan: place.plan, path: place.local }))
      sets.push({ ...place, hooks: undefined })
      continue
    }
    const hooks = await readScriptFiles(place.local)
    if (hooks.length === 0) {
      throw errors.GENERATE_NO_SCRIPTS({ path: place.local, directories: 'before_backups, backups, after_backups, …' })
    }
    sets.push({ ...place, hooks })
  }
  // Scripts that are somewhere else on this machine were not there to be looked at when the configuration was loaded.
  const declared = neededPermissions(config).map(({ permission }) => permission)
  const permissions = mergePermissions([...declared, ...sets.flatMap(({ local }) => permissionsFor({ path: local }))])
  return { loaded, sets, permissions }
}

async function openSource(context: CommandContext, { schedule, scripts }: SourceOptions): Promise<LoadedConfig> {
  const { io, settings } = context
  const path = resolve(io.cwd, scriptsPath(io.env, scripts))
  if (schedule === undefined) {
    const env = { ...io.env, HOLDFAST_SCRIPTS: path }
    const found = await findConfiguration({ ...context, io: { ...io, env } })
    if (found) return found
    const reason = 'there is no configuration, and script directories do not say when they run'
    throw errors.OPTION_NEEDED({ option: '--schedule', reason })
  }
  if (settings.config !== undefined) {
    const reason = 'a configuration has schedules of its own'
    throw errors.OPTION_CONFLICT({ option: '--schedule', other: '--config', reason })
  }
  // Nothing is ever found below this path: what is said counts, whatever files lie about.
  const nowhere = '/dev/null'
  const env = { CRON_BACKUP_SCHEDULE: schedule }
  const form = (): ReturnType<typeof environmentForm> => environmentForm(env, path)
  const defaultCopies = copiesOfVariable(settings.defaultCopies)
  const sources = { environmentForm: form, openStorage, defaultCopies }
  const loaded = await loadConfig({ cwd: nowhere, etc: nowhere, env, ...sources })
  const address = settings.storage ?? settings.defaultStorage
  if (address === undefined) return loaded
  return { ...loaded, config: { ...loaded.config, storage: await openStorageAt(address, io.cwd) } }
}
