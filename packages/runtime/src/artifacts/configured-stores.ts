import { join } from 'node:path'
import type { SecretRef } from '@holdfast/sdk'
import type { ResolvedConfig } from '../load/resolved.ts'
import { longestIdleMs } from './bounded-driver.ts'
import { fsStorage } from './fs-driver.ts'
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
    // A plan whose key is elsewhere, on purpose, is not tried with that of another. Of one that is gone any may fit.
    const identities = (name: string): readonly SecretRef[] => {
      const own = plans.filter((plan) => plan.name === name)
      return (own.length > 0 ? own : plans).flatMap(({ encoding }) => encoding.identity ?? [])
    }
    return createArtifactStore({
      ...shared,
      driver: storage ?? fsStorage({ path: join(stateDirectory, 'artifacts') }),
      instance,
      identities,
      idleMs: longestIdleMs,
    })
  }
  return (config) => {
    const made = stores.get(config) ?? open(config)
    stores.set(config, made)
    return made
  }
}
