import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { isHoldfastError, type SecretRef, type StorageDriver } from '@holdfast/sdk'
import {
  createArtifactStore,
  createSecrets,
  fsStorage,
  identitiesIn,
  listInstances,
  type ArtifactStore,
  type LoadedConfig,
  type StoredArtifact,
} from '@holdfast/runtime'
import { defaultStore, findConfiguration, openStorageAt } from './configuration.ts'
import type { CommandContext } from './context.ts'
import { errors } from './errors.ts'

/** Whose artifacts to read, and with what. */
export interface StoreOptions {
  readonly instance?: string | undefined
  /** A file with an age identity. */
  readonly identity?: string | undefined
}

/** The store of a command that reads it: one {@link ArtifactStore} per instance. */
export interface Stores {
  readonly stores: readonly ArtifactStore[]
  /** For messages. */
  readonly address: string
  /** Keys of manifests that can't be read, as far as the store has been read: what they are about is missing here. */
  readonly unreadable: readonly string[]
  /** Where there is one that can be used. */
  readonly loaded: LoadedConfig | undefined
}

/** An artifact, and the store that it is in. */
export interface FoundArtifact {
  readonly artifact: StoredArtifact
  readonly store: ArtifactStore
}

/**
 * The configuration, as far as it is of use to somebody who reads the store.
 *
 * @returns `undefined` where there is none; with `--storage`, where it can't be used either, which is said
 * @throws HoldfastError `CONFIG_INVALID`
 */
export async function loadForReading(context: CommandContext): Promise<LoadedConfig | undefined> {
  return findConfiguration(context).catch((error: unknown) => {
    if (context.settings.storage === undefined || !isHoldfastError(error)) throw error
    // A broken configuration must not keep anybody from their backups.
    context.warn(error)
    return undefined
  })
}

/**
 * Opens the store that the command line, the configuration or the environment names. Nothing else is needed: no
 * journal, no state directory, and with `--storage` no configuration either.
 *
 * @param known - the configuration, where it is loaded already
 * @throws HoldfastError `CONFIG_INVALID`, `STORE_MISSING`, `STORAGE_…`
 */
export async function openStores(
  context: CommandContext,
  options: StoreOptions,
  known?: { readonly loaded: LoadedConfig | undefined },
): Promise<Stores> {
  const { settings, io, log, redactor } = context
  const named = settings.storage
  const { loaded } = known ?? { loaded: await loadForReading(context) }
  const { driver, address } = await chooseStore(context, loaded)
  // A directory that isn't there is a mistyped name or a volume that isn't mounted, not a store without backups.
  const { localDirectory } = driver
  if (localDirectory !== undefined && !existsSync(localDirectory))
    throw errors.STORE_MISSING({ directory: localDirectory })
  const configured = named === undefined ? loaded?.config.instance : undefined
  const only = options.instance ?? configured
  const instances = only === undefined ? await listInstances(driver) : [only]
  const identities = identitiesOf(loaded, options.identity && resolve(io.cwd, options.identity))
  const secrets = createSecrets({ redactor, env: io.env })
  const unreadable: string[] = []
  const noting = {
    debug: log.debug.bind(log),
    info: log.info.bind(log),
    error: log.error.bind(log),
    warn(message: string, fields?: Record<string, unknown>) {
      const { error } = fields ?? {}
      const key = isHoldfastError(error) && error.code.startsWith('MANIFEST_') ? error.details['key'] : undefined
      if (typeof key === 'string') unreadable.push(key)
      log.warn(message, fields)
    },
  }
  const stores = instances.map((instance) =>
    createArtifactStore({ driver, instance, clock: io.clock, log: noting, secrets, identities }),
  )
  return { stores, address, unreadable, loaded }
}

async function chooseStore(
  { settings, io }: CommandContext,
  loaded: LoadedConfig | undefined,
): Promise<{ readonly driver: StorageDriver; readonly address: string }> {
  // The configuration's store is the one of --storage, if that is given.
  if (settings.storage === undefined && loaded?.config.storage) {
    const driver = loaded.config.storage
    return { driver, address: driver.localDirectory ?? driver.address ?? driver.name }
  }
  const url = settings.storage ?? settings.defaultStorage
  if (url !== undefined) return { driver: await openStorageAt(url, io.cwd), address: url.replace(/:\{.*$/s, '') }
  const directory = defaultStore(settings.stateDirectory)
  if (!existsSync(directory)) throw errors.STORE_MISSING({ directory })
  return { driver: fsStorage({ path: directory }), address: directory }
}

/** The one that was named, before what the configuration has. */
function identitiesOf(
  loaded: LoadedConfig | undefined,
  file: string | undefined,
): (plan: string) => readonly SecretRef[] {
  const configured = identitiesIn(loaded?.config.plans ?? [])
  return file === undefined ? configured : (plan) => [{ file }, ...configured(plan)]
}

/** Every artifact that fits, newest first within its instance. */
export async function* findArtifacts(
  { stores }: Pick<Stores, 'stores'>,
  selection: { readonly plan?: string | undefined; readonly target?: string | undefined } = {},
): AsyncGenerator<FoundArtifact> {
  for (const store of stores) for await (const artifact of store.list(selection)) yield { artifact, store }
}

/**
 * The plan and the target of an artifact, by its id or so much of it: what is looked through is less then.
 *
 * @returns nothing that is not whole
 */
export function selectionOf(id: string): { readonly plan?: string; readonly target?: string } {
  const [plan, target, rest] = id.split('/').map(decoded)
  if (plan === undefined || target === undefined || rest === undefined) return {}
  return { plan, target }
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

/**
 * The artifact with this id, or the one whose id begins so.
 *
 * @throws HoldfastError `ARTIFACT_UNKNOWN`, `ARTIFACT_AMBIGUOUS`
 */
export async function oneArtifact(stores: Stores, id: string): Promise<FoundArtifact> {
  const found: FoundArtifact[] = []
  for await (const each of findArtifacts(stores, selectionOf(id))) {
    if (each.artifact.id === id) return each
    if (each.artifact.id.startsWith(id)) found.push(each)
  }
  const [first, ...more] = found
  if (!first || id === '') throw errors.ARTIFACT_UNKNOWN({ artifact: id, store: stores.address })
  if (more.length > 0) {
    const shown = found.slice(0, 5).map(({ artifact }) => artifact.id)
    throw errors.ARTIFACT_AMBIGUOUS({
      artifact: id,
      artifacts: [...shown, ...(more.length > 4 ? ['…'] : [])].join(', '),
    })
  }
  return first
}
