// What leaves the store. Only objects of artifacts of our own instance, told by their keys; what lies between them and
// isn't ours is never touched.
import type { StorageDriver } from '@holdfast/sdk'
import { findObjects, findOne, notFound, type CatalogueOptions, type Objects } from './catalogue.ts'
import { keyPrefix } from './keys.ts'

/** Which leftovers to remove. */
export interface SweepRequest {
  /** @defaultValue every plan of the instance */
  readonly plan?: string | undefined
  /** Of runs that began before it; later ones may still be at work. */
  readonly before: Date
  readonly signal?: AbortSignal | undefined
}

/** See {@link ArtifactStore.remove}. */
export async function removeArtifact(options: CatalogueOptions, id: string, signal: AbortSignal): Promise<void> {
  const objects = await findOne(options, id, signal)
  if (!objects) throw await notFound(options, id, signal)
  await removeObjects(options.driver, objects, signal)
}

/** See {@link ArtifactStore.sweep}. */
export async function sweepLeftovers(
  options: CatalogueOptions & { readonly active: ReadonlySet<string> },
  { plan, before }: SweepRequest,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { driver, instance, active } = options
  const prefix = keyPrefix(instance, plan)
  const leftovers = (await findObjects(options, prefix, signal)).filter(
    ({ id, keys, location }) => keys.manifest === undefined && location.startedAt < before && !active.has(id),
  )
  for (const objects of leftovers) await removeObjects(driver, objects, signal)
  const scope = { signal, prefix }
  await driver.sweep?.(before, scope)
  return leftovers.map(({ id }) => id)
}

// The manifest first: a crash in between leaves data without a manifest, which is swept, and never the reverse.
async function removeObjects(driver: StorageDriver, { keys }: Objects, signal: AbortSignal): Promise<void> {
  for (const key of [keys.manifest, keys.data, keys.verified, keys.accepted])
    if (key !== undefined) await driver.delete(key, { signal })
}
