import { isHoldfastError, type HookModule, type Permission } from '@holdfast/sdk'
import { internalsOf, sdkVersion, type PluginInternals } from '@holdfast/sdk/internal'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { checkParticipantName } from './names.ts'
import { validateOptions } from './plugin-options.ts'
import type { Path, Problems } from './problems.ts'
import { resolveHooks } from './resolve-hooks.ts'
import { resolveUndos } from './resolve-undos.ts'
import type { Used } from './resolve-use.ts'
import type { Participant } from './resolved.ts'

type Definition = PluginInternals['definition']

/** A plugin or hook module, checked; `undefined` when it can't be used, with the reasons among the problems. */
export async function resolveParticipant(used: Used, problems: Problems): Promise<Participant | undefined> {
  const participant =
    used.kind === 'plugin'
      ? await resolvePlugin(used, problems)
      : await resolveHookModule(used.hook, used.name, used.source, used.path, problems)
  const wrong = participant && checkParticipantName(participant.id)
  if (wrong) problems.add(wrong, { path: used.path })
  return participant
}

async function resolvePlugin(
  { plugin, source, path }: Used & { readonly kind: 'plugin' },
  problems: Problems,
): Promise<Participant | undefined> {
  const internals = internalsOf(plugin)
  if (internals === undefined || !isDefinition(internals.definition)) {
    const reason = 'what it is made of is incomplete'
    problems.add(errors.PLUGIN_INCOMPATIBLE({ what: `plugin "${plugin.name}"`, reason }), { path })
    return undefined
  }
  const { definition, options, instance } = internals
  const of = `plugin "${instance}"`
  if (!satisfies(sdkVersion, definition.sdk)) {
    const params = { plugin: instance, range: definition.sdk, version: sdkVersion }
    problems.add(errors.PLUGIN_SDK_MISMATCH(params), { path })
    return undefined
  }
  const hooks = await resolveHooks(definition.hooks, of, path, problems)
  const undos = resolveUndos(definition.undos, of, path, problems)
  const config = await validateOptions(instance, definition.config, options, path, problems)
  if (config === undefined) return undefined
  return {
    kind: 'plugin',
    id: instance,
    name: definition.name,
    source,
    config: config.value,
    hooks,
    undos,
    permissions: permissionsOf(definition, config.value, of, path, problems),
    targets: definition.targets,
    describe: definition.describe as Participant['describe'],
    restore: definition.restore,
    commands: definition.commands,
  }
}

async function resolveHookModule(
  hook: HookModule,
  name: string,
  source: string,
  path: Path,
  problems: Problems,
): Promise<Participant> {
  const of = `hook "${name}"`
  return {
    kind: 'hook',
    id: name,
    name,
    source,
    config: undefined,
    hooks: await resolveHooks({ [hook.hook]: hook.entry }, of, path, problems),
    undos: resolveUndos(hook.undos, of, path, problems),
    permissions: hook.permissions ?? [],
    targets: undefined,
    describe: undefined,
    restore: undefined,
    commands: undefined,
  }
}

function isDefinition(definition: unknown): definition is Definition {
  const { name, sdk, hooks, config } = Object(definition) as Partial<Definition>
  return (
    typeof name === 'string' &&
    typeof sdk === 'string' &&
    typeof hooks === 'object' &&
    hooks !== null &&
    typeof config?.['~standard']?.validate === 'function'
  )
}

/** Whether a version is in a caret range: the same major version (of 1 and later), and no older. */
export function satisfies(version: string, range: string): boolean {
  const [major, minor = 0, patch = 0] = version.split('.').map(Number)
  const [wantedMajor, wantedMinor = 0, wantedPatch = 0] = range.replace(/^\^/, '').split('.').map(Number)
  return major === wantedMajor && (minor > wantedMinor || (minor === wantedMinor && patch >= wantedPatch))
}

function permissionsOf(
  definition: Definition,
  config: unknown,
  of: string,
  path: Path,
  problems: Problems,
): readonly Permission[] {
  try {
    return definition.permissions?.(config) ?? []
  } catch (error) {
    const reason = `its permissions can't be listed: ${reasonOf(error)}`
    problems.add(isHoldfastError(error) ? error : errors.PLUGIN_INCOMPATIBLE({ what: of, reason }), { path })
    return []
  }
}
