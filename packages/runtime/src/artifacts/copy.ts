// A copy is made of stored bytes, as they are: data first, read back, and only then the manifest. So it is an artifact
// like any other, in a store like any other, and no key is needed to make it.
import type { Logger, StorageDriver } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { withDeadline } from './deadline.ts'
import { createDigest } from './digest.ts'
import { objectKey } from './keys.ts'
import { formatMark, type Verification } from './marks.ts'
import { getText, putText } from './objects.ts'
import { checkArtifact } from './read.ts'
import type { StoredArtifact } from './stored-artifact.ts'

/** From where to where. */
export interface CopyOptions {
  /** The store itself. */
  readonly from: StorageDriver
  readonly to: StorageDriver
  readonly instance: string
  readonly clock: Pick<RuntimeClock, 'now' | 'setTimer'>
  readonly log: Pick<Logger, 'warn'>
}

/** How long removing the pieces of a failed copy may take; what is left is swept later. */
const cleanUpMs = 30_000

/**
 * Copies an artifact and reads it back. It counts as verified in the copy where it is in the store itself.
 *
 * @param artifact - as the store itself has it
 * @param isThere - the copy has it already, but damaged: it is replaced, and stays as it is where that fails
 * @returns false when it was removed from the store meanwhile
 * @throws HoldfastError `COPY_SOURCE`, `ARTIFACT_DIGEST` (the copy gives back other bytes), `STORAGE_…`, or the signal's
 * reason; nothing is left in the copy but what could not be removed
 */
export async function copyArtifact(
  options: CopyOptions,
  artifact: StoredArtifact,
  { isThere, signal }: { readonly isThere: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  const { from, to, instance } = options
  const { id, encoding } = artifact
  const manifestKey = objectKey(instance, id, 'manifest')
  const dataKey = objectKey(instance, id, 'data', encoding)
  const manifest = await readSource(id, signal, () => getText(from, manifestKey, signal))
  if (manifest === undefined) return false
  try {
    await copyData(options, artifact, dataKey, signal)
    await checkCopied(options, artifact, signal)
    await putText(to, manifestKey, manifest, signal)
    if ((await getText(to, manifestKey, signal)) !== manifest)
      throw errors.ARTIFACT_DIGEST({ artifact: id, reason: 'its manifest does not come back as it was written' })
  } catch (error) {
    if (!isThere) await cleanUp(options, [manifestKey, dataKey])
    throw error
  }
  await copyAcceptance(options, artifact, signal)
  await copyVerification(options, artifact, signal)
  // What was damaged is replaced, and the mark that says so is of what was there before.
  if (isThere && artifact.verifiedAt === undefined) await to.delete(objectKey(instance, id, 'verified'), { signal })
  return true
}

async function copyData(
  { from, to }: CopyOptions,
  { id, storedSize, storedSha256 }: StoredArtifact,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const digest = createDigest()
  let failed: { readonly error: unknown } | undefined
  // What the source gives must be what it says: a damaged artifact is not worth a copy.
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* digest.tap(from.get(key, { signal }))
      if (digest.size !== storedSize || digest.hex() !== storedSha256)
        throw new Error('its bytes in the store are not those that were written')
    } catch (error) {
      failed = { error }
      throw error
    }
  }
  try {
    await to.put(key, source(), { signal })
  } catch (error) {
    if (failed && !signal.aborted) throw sourceError(id, failed.error)
    throw error
  }
  // A driver that is content with less has not stored it.
  if (!digest.complete) throw errors.STORAGE_IO({ operation: 'put', key, reason: 'the driver did not read all of it' })
}

async function readSource<T>(id: string, signal: AbortSignal, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw signal.aborted ? error : sourceError(id, error)
  }
}

function sourceError(artifact: string, cause: unknown): Error {
  return errors.COPY_SOURCE({ artifact, reason: reasonOf(cause) }, { cause })
}

/**
 * Reads what a copy has of an artifact.
 *
 * @param artifact - as the store itself has it
 * @throws HoldfastError `ARTIFACT_DIGEST`, `ARTIFACT_DATA_MISSING`, `STORAGE_…`
 */
export async function checkCopied(
  { to, instance, log }: CopyOptions,
  artifact: StoredArtifact,
  signal: AbortSignal,
): Promise<void> {
  const reading = { driver: to, instance, log, secrets: undefined, identities: () => [] }
  await checkArtifact(reading, artifact, 'stored', signal)
}

/** What was accepted in the store itself is accepted in the copy. */
export async function copyAcceptance(
  { to, instance }: CopyOptions,
  { id, acceptance }: StoredArtifact,
  signal: AbortSignal,
): Promise<void> {
  if (acceptance) await putText(to, objectKey(instance, id, 'accepted'), formatMark(acceptance), signal)
}

/**
 * Marks what was read back of a copy as the store itself has it marked. The stored bytes are the same: what was found of
 * them there, decoded, is true of them here. What was never verified there doesn't become better by being copied.
 */
export async function copyVerification(
  { to, instance, clock }: CopyOptions,
  { id, verification }: StoredArtifact,
  signal: AbortSignal,
): Promise<void> {
  if (verification?.result !== 'verified') return
  const { checked, complete } = verification
  const mark: Verification = { at: clock.now(), result: 'verified', checked, complete }
  await putText(to, objectKey(instance, id, 'verified'), formatMark(mark), signal)
}

async function cleanUp({ to, clock, log }: CopyOptions, keys: readonly string[]): Promise<void> {
  try {
    await withDeadline(clock, cleanUpMs, async (signal) => {
      for (const key of keys) await to.delete(key, { signal })
    })
  } catch (error) {
    log.warn(`what a failed copy left in ${to.address ?? to.name} stays until it is swept: ${reasonOf(error)}`, {
      error,
    })
  }
}
