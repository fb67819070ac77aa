import { dirname, posix, relative, sep } from 'node:path'
import { parseListenAddress, type ResolvedPlan } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { copiesIn } from '../plans.ts'
import type { Blueprint, EnvVar, Part, PodParts } from './blueprint.ts'
import { drillScriptFiles, readConfigFiles } from './config-files.ts'
import { checkName, dashed, isLabel, labelRule, longestLabel } from './names.ts'
import { readSource, type ScriptSetFiles, type Source, type SourceOptions } from './read-source.ts'
import { modes, scriptVolume, type Volume } from './script-volumes.ts'
import { secretParts } from './secret-parts.ts'
import { checkStorageAddress, copyParts, storageParts } from './storage-parts.ts'

/** Names, and whom the pod acts as. */
export interface AccountOptions extends SourceOptions {
  readonly name: string
  readonly namespace?: string | undefined
  /** One that is there already. */
  readonly serviceAccount?: string | undefined
}

/** Everything that a pod is made from. */
export interface BlueprintOptions extends AccountOptions {
  readonly image: string
  readonly targetContainer?: string | undefined
  readonly stateClaim?: string | undefined
  readonly storageClaim?: string | undefined
  readonly secret?: string | undefined
  readonly secretEnv?: readonly string[] | undefined
  readonly root?: boolean | undefined
  /** The image has the configuration, and the scripts. */
  readonly configInImage?: boolean | undefined
}

/** Where the configuration is in the container. */
const configDirectory = '/etc/holdfast'
const stateDirectory = '/var/lib/holdfast'

/** Names, the account and its rights: what `generate rbac` needs. */
export type Access = Pick<Blueprint, 'name' | 'namespace' | 'account' | 'permissions' | 'lease'>

/**
 * Reads what an account needs.
 *
 * @throws HoldfastError see {@link readSource}
 */
export async function readAccess(context: CommandContext, options: AccountOptions): Promise<Access & Source> {
  const name = checkOption('--name', options.name)
  const namespace = options.namespace === undefined ? undefined : checkOption('--namespace', options.namespace)
  const { serviceAccount } = options
  if (serviceAccount !== undefined && !serviceAccount.split('.').every(isLabel)) {
    throw errors.OPTION_INVALID({ option: '--service-account', value: serviceAccount, allowed: labelRule })
  }
  const source = await readSource(context, options)
  if (namespace === undefined && source.permissions.some(({ scope }) => scope === 'cluster')) {
    const reason = 'rights in the whole cluster are given to an account by its name and its namespace'
    throw errors.OPTION_NEEDED({ option: '--namespace', reason })
  }
  return {
    ...source,
    name,
    namespace,
    account: { name: serviceAccount ?? name, isMade: serviceAccount === undefined },
    lease: source.loaded.config.replicas === 'leader' ? name : undefined,
  }
}

/**
 * Reads everything that manifests are made from, and warns of what would go wrong with them.
 *
 * @throws HoldfastError see {@link readSource}, `GENERATE_…`
 */
export async function readBlueprint(context: CommandContext, options: BlueprintOptions): Promise<Blueprint & Source> {
  const { settings } = context
  checkStorageAddress('--storage', settings.storage)
  checkStorageAddress('HOLDFAST_STORAGE', settings.defaultStorage)
  for (const address of settings.defaultCopies) checkStorageAddress('HOLDFAST_COPIES', address)
  const access = await readAccess(context, options)
  const { name, loaded, sets, lease } = access
  const { config, metrics } = loaded
  const graceSeconds = Math.ceil(settings.shutdownGraceMs / 1_000)
  const parts: PodParts[] = [
    ownParts(access, { ...options, graceSeconds }),
    ...(options.configInImage || config.source === 'environment' ? [] : [await configParts(name, access)]),
    ...(config.source === 'environment' ? [environmentParts(config.plans)] : []),
    ...(options.configInImage ? [] : sets.map((set, index) => setParts(name, set, index))),
    storageParts({ name, local: config.storage?.localDirectory, claim: options.storageClaim, stateDirectory }),
    ...copyParts(name, directoriesOfCopies(config.plans), [stateDirectory, config.storage?.localDirectory]),
    settings.storage === undefined && settings.defaultStorage !== undefined
      ? { env: [{ value: { name: 'HOLDFAST_STORAGE', value: settings.defaultStorage } }] }
      : {},
    settings.defaultCopies.length > 0
      ? { env: [{ value: { name: 'HOLDFAST_COPIES', value: settings.defaultCopies.join(' ') } }] }
      : {},
    secretParts({ name, config, secret: options.secret, variables: options.secretEnv ?? [] }),
  ]
  return {
    ...access,
    image: options.image,
    lease,
    configMaps: parts.flatMap(({ configMaps = [] }) => configMaps),
    volumes: parts.flatMap(({ volumes = [] }) => volumes),
    mounts: parts.flatMap(({ mounts = [] }) => mounts),
    env: parts.flatMap(({ env = [] }) => env),
    workingDirectory: config.source === 'environment' ? undefined : '/',
    options: settings.storage === undefined ? [] : ['--storage', settings.storage],
    graceSeconds: graceSeconds + 5,
    asRoot: options.root ?? false,
    source: config.source,
    plans: config.plans,
    drills: config.drills,
    port: parseListenAddress(metrics?.listen ?? 9480)?.port ?? 9480,
  }
}

function directoriesOfCopies(plans: readonly ResolvedPlan[]): readonly string[] {
  return copiesIn(plans).flatMap(({ driver }) => driver.localDirectory ?? [])
}

/** What every pod of ours has. */
function ownParts(
  { name, lease }: Access,
  { targetContainer, stateClaim, graceSeconds }: BlueprintOptions & { readonly graceSeconds: number },
): PodParts {
  if (targetContainer !== undefined) checkOption('--target-container', targetContainer)
  const field = (variable: string, fieldPath: string): Part<EnvVar> => ({
    value: { name: variable, valueFrom: { fieldRef: { fieldPath } } },
  })
  const state: Volume =
    stateClaim === undefined
      ? { name: `${name}-state`, emptyDir: {} }
      : { name: `${name}-state`, persistentVolumeClaim: { claimName: stateClaim } }
  const kept = 'What a run takes is written down here first, so that it can be given back.'
  return {
    volumes: [
      { value: state, comment: stateClaim === undefined ? kept : `${kept} The claim must be there.` },
      {
        value: { name: `${name}-tmp`, emptyDir: {} },
        comment: 'For scripts: the rest of the file system is read-only.',
      },
    ],
    mounts: [
      { name: `${name}-state`, mountPath: stateDirectory },
      { name: `${name}-tmp`, mountPath: '/tmp' },
    ],
    env: [
      field('POD_NAME', 'metadata.name'),
      field('POD_NAMESPACE', 'metadata.namespace'),
      field('POD_UID', 'metadata.uid'),
      { value: { name: 'HOLDFAST_CONTAINER_NAME', value: name } },
      ...(targetContainer === undefined
        ? []
        : [
            {
              value: { name: 'TARGET_CONTAINER', value: targetContainer },
              comment: 'Where kubectlexec runs its commands.',
            },
          ]),
      { value: { name: 'HOLDFAST_STATE_DIR', value: stateDirectory } },
      { value: { name: 'HOLDFAST_SHUTDOWN_GRACE', value: `${graceSeconds}s` } },
      ...(lease === undefined ? [] : [{ value: { name: 'HOLDFAST_LEASE', value: lease } }]),
    ],
  }
}

/** sidefridge's variable, in place of a file. */
function environmentParts([plan]: readonly ResolvedPlan[]): PodParts {
  return { env: [{ value: { name: 'CRON_BACKUP_SCHEDULE', value: plan?.schedule?.cron ?? '' } }] }
}

async function configParts(name: string, { loaded: { config, files } }: Source): Promise<PodParts> {
  const scripts = await drillScriptFiles(config.drills)
  const read = await readConfigFiles(config.source, [...new Set([...files, ...scripts])])
  const volume = `${name}-config`
  const items = read.map(({ name: key, path, source }) => ({
    key,
    path,
    ...(scripts.includes(source) && { mode: modes.programs }),
  }))
  const main = relative(dirname(config.source), config.source).split(sep).join('/')
  return {
    configMaps: [{ name: volume, files: read }],
    volumes: [{ value: { name: checkName('volume', volume), configMap: { name: volume, items } } }],
    mounts: [{ name: volume, mountPath: configDirectory, readOnly: true }],
    env: [{ value: { name: 'HOLDFAST_CONFIG', value: posix.join(configDirectory, main) } }],
  }
}

/** A volume per hook: so Kubernetes exchanges the scripts of a hook all at once. */
function setParts(name: string, { hooks = [], mountPath }: ScriptSetFiles, index: number): PodParts {
  const set = index === 0 ? `${name}-scripts` : `${name}-scripts-${index + 1}`
  const named = hooks.map((hook) => ({ hook, volume: `${set}-${dashed(hook.directory)}` }))
  return {
    configMaps: named.map(({ hook, volume }) => ({ name: volume, files: hook.files })),
    volumes: named.map(({ hook, volume }) => ({
      value: scriptVolume({ configMap: volume, volume, hook, defaultMode: modes.programs }),
    })),
    mounts: named.map(({ hook, volume }) => ({
      name: volume,
      mountPath: posix.join(mountPath, hook.directory),
      readOnly: true,
    })),
  }
}

function checkOption(option: string, value: string): string {
  if (isLabel(value) && value.length <= longestLabel) return value
  throw errors.OPTION_INVALID({ option, value, allowed: `at most ${longestLabel} ${labelRule}` })
}
