// The store is the catalogue: what there is, is read from the manifests, and nothing else is asked.
import { isHoldfastError, type HoldfastError, type Logger, type StorageDriver } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { editDistance } from '../load/did-you-mean.ts'
import { mapInOrder } from './in-order.ts'
import {
  encodePart,
  keyPrefix,
  objectKey,
  parseArtifactId,
  parseObjectKey,
  type ArtifactLocation,
  type ObjectKind,
} from './keys.ts'
import { parseManifest } from './manifest.ts'
import { parseAcceptance, parseVerification } from './marks.ts'
import { getText } from './objects.ts'
import { toStoredArtifact, type StoredArtifact } from './stored-artifact.ts'

/** Which artifacts to look for; everything that is left out fits. */
export interface Selection {
  readonly plan?: string | undefined
  readonly target?: string | undefined
  readonly name?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Hears about manifests that can't be read; they are logged in any case. */
  readonly onProblem?: ((problem: HoldfastError) => void) | undefined
}

/** The objects of one artifact, as keys tell. */
export interface Objects {
  readonly id: string
  readonly location: ArtifactLocation
  readonly keys: { readonly [Kind in ObjectKind]?: string }
}

/** What reading needs. */
export interface CatalogueOptions {
  readonly driver: StorageDriver
  readonly instance: string
  readonly log: Pick<Logger, 'warn'>
}

/** Manifests that are read at once. */
const parallel = 16

/** A signal for callers that have none. */
export const never: AbortSignal = new AbortController().signal

/** Groups the keys below a prefix by artifact. Objects of others, and of no artifact, are left out. */
export async function findObjects(
  { driver, instance }: Pick<CatalogueOptions, 'driver' | 'instance'>,
  prefix: string,
  signal: AbortSignal,
): Promise<readonly Objects[]> {
  const found = new Map<string, { id: string; location: ArtifactLocation; keys: { [Kind in ObjectKind]?: string } }>()
  for await (const { key } of driver.list(prefix, { signal })) {
    const parsed = parseObjectKey(instance, key)
    if (!parsed) continue
    const objects = found.get(parsed.id) ?? { id: parsed.id, location: parsed.location, keys: {} }
    found.set(parsed.id, objects)
    objects.keys[parsed.kind] = key
  }
  return [...found.values()]
}

/** The objects of one artifact; `undefined` where there is no trace of it. */
export async function findOne(
  options: Pick<CatalogueOptions, 'driver' | 'instance'>,
  id: string,
  signal: AbortSignal,
): Promise<Objects | undefined> {
  if (!parseArtifactId(id)) return undefined
  const objects = await findObjects(options, `${encodePart(options.instance)}/${id}.`, signal)
  return objects.find((each) => each.id === id)
}

/** Committed artifacts, newest first: by when their run began, those of one run by name. */
export async function* listArtifacts(options: CatalogueOptions, selection: Selection): AsyncGenerator<StoredArtifact> {
  const { plan, target, name, signal = never, onProblem } = selection
  const objects = await findObjects(options, keyPrefix(options.instance, plan, target), signal)
  const wanted = objects.filter(
    ({ keys, location }) =>
      keys.manifest !== undefined &&
      (target === undefined || location.target === target) &&
      (name === undefined || location.name === name),
  )
  const read = async (each: Objects): Promise<StoredArtifact | undefined> => {
    try {
      return await readArtifact(options, each, signal)
    } catch (error) {
      // One manifest that can't be read must not hide the others.
      if (!isHoldfastError(error) || !error.code.startsWith('MANIFEST_')) throw error
      options.log.warn(error.message, { error })
      onProblem?.(error)
      return undefined
    }
  }
  for await (const artifact of mapInOrder(wanted.toSorted(newestFirst), parallel, read)) if (artifact) yield artifact
}

function newestFirst(a: Objects, b: Objects): number {
  const age = b.location.startedAt.getTime() - a.location.startedAt.getTime()
  return age === 0 ? (a.id < b.id ? -1 : 1) : age
}

/**
 * Reads one artifact.
 *
 * @returns `undefined` when it was removed meanwhile, or never committed
 * @throws HoldfastError `MANIFEST_INVALID`, `MANIFEST_NEWER`, `STORAGE_…`
 */
export async function readArtifact(
  { driver }: CatalogueOptions,
  { id, keys }: Objects,
  signal: AbortSignal,
): Promise<StoredArtifact | undefined> {
  const text = async (key: string | undefined): Promise<string | undefined> =>
    key === undefined ? undefined : getText(driver, key, signal)
  const manifest = await text(keys.manifest)
  if (manifest === undefined || keys.manifest === undefined) return undefined
  const verified = await text(keys.verified)
  const accepted = await text(keys.accepted)
  return toStoredArtifact(parseManifest(manifest, { key: keys.manifest, id }), {
    verification: verified === undefined ? undefined : parseVerification(verified),
    acceptance: accepted === undefined ? undefined : parseAcceptance(accepted),
  })
}

/**
 * One artifact by its id.
 *
 * @throws HoldfastError `ARTIFACT_NOT_FOUND` (names the nearest ids), `MANIFEST_INVALID`, `MANIFEST_NEWER`, `STORAGE_…`
 */
export async function getArtifact(options: CatalogueOptions, id: string, signal: AbortSignal): Promise<StoredArtifact> {
  const objects = await findOne(options, id, signal)
  const artifact = objects && (await readArtifact(options, objects, signal))
  if (!artifact) throw await notFound(options, id, signal)
  return artifact
}

/** The error about an artifact that isn't there. */
export async function notFound(options: CatalogueOptions, id: string, signal: AbortSignal): Promise<HoldfastError> {
  const all = await findObjects(options, keyPrefix(options.instance), signal)
  const near = all
    .filter(({ keys }) => keys.manifest !== undefined)
    .map((each) => ({ id: each.id, distance: distance(id, each.id) }))
    .toSorted((a, b) => a.distance - b.distance || (a.id < b.id ? 1 : -1))
    .slice(0, 3)
  return errors.ARTIFACT_NOT_FOUND({ artifact: id, nearest: near.map((each) => each.id).join(', ') })
}

// Whoever types an id mostly has its beginning or its end right; only what differs between is compared letter by letter.
function distance(a: string, b: string): number {
  let start = 0
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)]
  if (a.includes(b) || b.includes(a)) return 0.5
  return editDistance(left.slice(0, 60), right.slice(0, 60))
}

/** The key of a committed artifact's object. */
export function keyOf(artifact: StoredArtifact, instance: string, kind: ObjectKind): string {
  return objectKey(instance, artifact.id, kind, artifact.encoding)
}
