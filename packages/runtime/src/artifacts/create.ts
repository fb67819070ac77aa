// Two phases: the data goes to its final key, and only the manifest, written last, makes it an artifact.
import type { Json, Sink } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import type { RuntimeClock } from '../clock.ts'
import type { ResolvedEncoding } from '../load/resolved.ts'
import { findOne, listArtifacts, type CatalogueOptions } from './catalogue.ts'
import { withDeadline } from './deadline.ts'
import { createDigest } from './digest.ts'
import { openEncoder } from './encoding.ts'
import { artifactId, objectKey, type ArtifactLocation } from './keys.ts'
import { formatManifest, parseManifest } from './manifest.ts'
import { formatMark } from './marks.ts'
import { putText } from './objects.ts'
import { judgeSize, type SizeVerdict } from './size-drop.ts'
import { toStoredArtifact, type StoredArtifact } from './stored-artifact.ts'
import { abortError, transfer } from './transfer.ts'

/** What to store. */
export interface CreateRequest extends ArtifactLocation {
  /** Goes into the manifest. No place for secrets. */
  readonly meta?: Readonly<Record<string, Json>> | undefined
  /** Which try of its plan it is of. @defaultValue 1 */
  readonly attempt?: number | undefined
  /** The fewest bytes before encoding that count as a backup. @defaultValue 1 */
  readonly minSize?: number | undefined
  readonly encoding: ResolvedEncoding
  /** Gives the artifact up. */
  readonly signal: AbortSignal
}

/** What creating needs. */
export interface CreateOptions extends CatalogueOptions {
  readonly clock: Pick<RuntimeClock, 'now' | 'setTimer'>
  /** Ids that are being created by this process. */
  readonly active: Set<string>
}

/** How long removing the pieces of a failed artifact may take; what is left is swept later. */
const cleanUpMs = 30_000

/** See {@link ArtifactStore.create}. */
export async function createArtifact(
  options: CreateOptions,
  request: CreateRequest,
  produce: (sink: Sink) => unknown,
): Promise<StoredArtifact> {
  const { active } = options
  const id = artifactId(request)
  if (active.has(id)) throw errors.ARTIFACT_EXISTS({ artifact: id })
  active.add(id)
  try {
    return await createOnce(options, request, id, produce)
  } finally {
    active.delete(id)
  }
}

async function createOnce(
  options: CreateOptions,
  request: CreateRequest,
  id: string,
  produce: (sink: Sink) => unknown,
): Promise<StoredArtifact> {
  const { driver, instance, clock } = options
  const { signal, minSize = 1 } = request
  if (signal.aborted) throw abortError(id, signal)
  const encoder = await openEncoder(request.encoding)
  if ((await findOne(options, id, signal))?.keys.manifest !== undefined) throw errors.ARTIFACT_EXISTS({ artifact: id })

  const dataKey = objectKey(instance, id, 'data', encoder.applied)
  const manifestKey = objectKey(instance, id, 'manifest')
  try {
    const plain = createDigest()
    const stored = createDigest()
    await transfer({
      id,
      signal,
      minSize,
      produce,
      stored,
      write: ({ blocks, release }) =>
        driver.put(dataKey, stored.tap(encoder.encode(plain.tap(blocks), release)), { signal }),
    })
    const verdict = await judge(options, request, plain.size)
    const { plan, target, run, name, startedAt, attempt = 1, meta = {} } = request
    const text = formatManifest({
      id,
      instance,
      plan,
      target,
      run,
      name,
      startedAt: startedAt.toISOString(),
      createdAt: clock.now().toISOString(),
      size: plain.size,
      sha256: plain.hex(),
      storedSize: stored.size,
      storedSha256: stored.hex(),
      encoding: encoder.applied,
      state: verdict.state,
      reason: verdict.reason,
      newSize: verdict.newSize || undefined,
      attempt: attempt === 1 ? undefined : attempt,
      meta,
    })
    const artifact = toStoredArtifact(parseManifest(text, { key: manifestKey, id }), {})
    await putText(driver, manifestKey, text, signal)
    await acceptEarlier(options, verdict.accept, signal)
    return artifact
  } catch (error) {
    await cleanUp(options, [manifestKey, dataKey])
    if (signal.aborted) throw abortError(id, signal)
    throw error
  }
}

async function judge(options: CreateOptions, request: CreateRequest, size: number): Promise<SizeVerdict> {
  const { plan, target, name, attempt = 1, signal } = request
  try {
    return await judgeSize({ size, attempt }, listArtifacts(options, { plan, target, name, signal }))
  } catch (error) {
    if (signal.aborted) throw error
    // The data is safe in the store; not knowing what is usual is a reason to look, not to throw it away.
    const reason = `earlier sizes could not be read: ${reasonOf(error)}`
    options.log.warn(`${plan}, ${target}, ${name}: ${reason}`, { error })
    return { state: 'suspect', reason, newSize: false, accept: [] }
  }
}

async function acceptEarlier(
  { driver, instance, clock, log }: CreateOptions,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const id of ids) {
    try {
      await putText(driver, objectKey(instance, id, 'accepted'), formatMark({ at: clock.now(), by: 'size' }), signal)
    } catch (error) {
      // Done again with the next artifact.
      log.warn(`${id} stays suspect for now: ${reasonOf(error)}`, { error })
      return
    }
  }
}

/** The manifest first: data without one is a leftover, a manifest without data would be a lie. */
async function cleanUp({ driver, clock, log }: CreateOptions, keys: readonly string[]): Promise<void> {
  try {
    await withDeadline(clock, cleanUpMs, async (signal) => {
      for (const key of keys) await driver.delete(key, { signal })
    })
  } catch (error) {
    log.warn(`what a failed artifact left in the store stays until it is swept: ${reasonOf(error)}`, { error })
  }
}
