import { join } from 'node:path'
import type { ResolvedConfig } from '../load/resolved.ts'
import { longestIdleMs } from './bounded-driver.ts'
import { fsStorage } from './fs-driver.ts'
import { identitiesIn } from './identities.ts'
import { createArtifactStore, type ArtifactStore, type CreateArtifactStoreOptions } from './store.ts'

/** What {@link createConfiguredStores} needs. */
export interface CreateConfiguredStoresOptions extends Pick<
  CreateArtifactStoreOptions,
  'clock' | 'log' | 'secrets' | 'meter'
> {
  readonly stateDirectory: string
}

/** @returns the store of a configuration: the same each time */
export function createConfiguredStores({
  stateDirectory,
  ...shared
}: CreateConfiguredStoresOptions): (config: ResolvedConfig) => ArtifactStore {
  const stores = new WeakMap<ResolvedConfig, ArtifactStore>()
  const open = ({ storage, instance, plans }: ResolvedConfig): ArtifactStore => {
    return createArtifactStore({
      ...shared,
      driver: storage ?? fsStorage({ path: join(stateDirectory, 'artifacts') }),
      instance,
      identities: identitiesIn(plans),
      idleMs: longestIdleMs,
    })
  }
  return (config) => {
    const made = stores.get(config) ?? open(config)
    stores.set(config, made)
    return made
  }
}
