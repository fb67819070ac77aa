// Reading back. Bytes count only when the end was reached without an error: both digests are checked there.
import { isHoldfastError, type Bytes, type SecretRef, type Secrets } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { getArtifact, keyOf, type CatalogueOptions } from './catalogue.ts'
import { createDigest, type Digest } from './digest.ts'
import { decode } from './encoding.ts'
import { free } from './free.ts'
import type { StoredArtifact } from './stored-artifact.ts'

/** What reading back needs. */
export interface ReadOptions extends CatalogueOptions {
  readonly secrets: Secrets | undefined
  /** age identities for artifacts of a plan; whichever fits is used. */
  readonly identities: (plan: string) => readonly SecretRef[]
}

/** See {@link ArtifactStore.open}. */
export async function* openArtifact(options: ReadOptions, id: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const artifact = await getArtifact(options, id, signal)
  yield* readDecoded(options, artifact, signal)
}

/**
 * The bytes before encoding.
 *
 * @param stored - is told the bytes in the store
 * @throws HoldfastError `ARTIFACT_KEY_MISSING`, `ARTIFACT_DECRYPT`, `ARTIFACT_DIGEST`, `ARTIFACT_DATA_MISSING`, `STORAGE_…`
 */
export async function* readDecoded(
  options: ReadOptions,
  artifact: StoredArtifact,
  signal: AbortSignal,
  stored: Digest = createDigest(),
): AsyncGenerator<Uint8Array> {
  const { id } = artifact
  const identities = artifact.encoding.includes('age') ? await openIdentities(options, artifact) : []
  const plain = createDigest()
  const bytes = plain.tap(
    decode(stored.tap(readData(options, artifact, signal)), artifact.encoding, { identities, artifact: id }),
  )
  try {
    for await (const chunk of bytes) {
      // Not one byte more than there should be: what is behind a damaged length may never end.
      if (plain.size > artifact.size) throw damaged(id, `it has more than its ${artifact.size} bytes`)
      yield chunk
      signal.throwIfAborted()
    }
  } catch (error) {
    if (isHoldfastError(error) || signal.aborted) throw error
    throw damaged(id, `it cannot be decoded: ${reasonOf(error)}`, error)
  }
  if (plain.size !== artifact.size) throw damaged(id, `it has ${plain.size} bytes instead of ${artifact.size}`)
  if (plain.hex() !== artifact.sha256) throw damaged(id, 'its bytes have another SHA-256 than when they were written')
}

/**
 * Reads everything and compares it with the manifest: the bytes in the store, and those before encoding too if asked for.
 *
 * @throws HoldfastError `ARTIFACT_DIGEST`, `ARTIFACT_DATA_MISSING`, `ARTIFACT_DECRYPT`, `STORAGE_…`
 */
export async function checkArtifact(
  options: ReadOptions,
  artifact: StoredArtifact,
  depth: 'stored' | 'decoded',
  signal: AbortSignal,
): Promise<void> {
  const stored = createDigest()
  const bytes =
    depth === 'stored'
      ? stored.tap(readData(options, artifact, signal))
      : readDecoded(options, artifact, signal, stored)
  try {
    // What was decompressed is ours alone; what a driver hands out may be its own.
    const ours = depth === 'decoded' && artifact.encoding[0] === 'zstd'
    for await (const chunk of bytes) if (ours) free(chunk)
  } catch (error) {
    // A damaged beginning looks like a wrong key; the stored digest tells them apart.
    if (isHoldfastError(error) && error.code === 'ARTIFACT_DECRYPT')
      await checkArtifact(options, artifact, 'stored', signal)
    throw error
  }
  const { id, storedSize, storedSha256 } = artifact
  if (stored.size !== storedSize) throw damaged(id, `it has ${stored.size} bytes in the store instead of ${storedSize}`)
  if (stored.hex() !== storedSha256)
    throw damaged(id, 'the bytes in the store have another SHA-256 than when they were written')
}

async function* readData(
  options: ReadOptions,
  artifact: StoredArtifact,
  signal: AbortSignal,
): Bytes & AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of options.driver.get(keyOf(artifact, options.instance, 'data'), { signal })) {
      signal.throwIfAborted()
      yield chunk
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    if (error.code === 'STORAGE_NOT_FOUND')
      throw errors.ARTIFACT_DATA_MISSING({ artifact: artifact.id }, { cause: error })
    // A store that keeps sums of its own may see it before we do.
    if (error.code === 'STORAGE_CHECKSUM') throw damaged(artifact.id, error.message, error)
    throw error
  }
}

async function openIdentities(
  { secrets, identities, log }: ReadOptions,
  { id, plan }: StoredArtifact,
): Promise<readonly string[]> {
  const references = identities(plan)
  if (references.length === 0 || !secrets) throw errors.ARTIFACT_KEY_MISSING({ artifact: id })
  const opened = await Promise.allSettled(references.map((reference) => secrets.open(reference)))
  const failed = opened.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []))
  const usable = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value.reveal()] : []))
  if (failed[0] && usable.length === 0) throw failed[0]
  // A key that is not on this machine keeps nobody from using another.
  for (const error of failed) log.warn(`an identity can't be used: ${reasonOf(error)}`, { artifact: id, error })
  return usable
}

function damaged(artifact: string, reason: string, cause?: unknown): Error {
  return errors.ARTIFACT_DIGEST({ artifact, reason }, { cause })
}
