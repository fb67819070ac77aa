import { isHoldfastError } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { reasonOf } from '../failure.ts'
import { getArtifact } from './catalogue.ts'
import { objectKey } from './keys.ts'
import { formatMark, type Verification } from './marks.ts'
import { putText } from './objects.ts'
import { checkArtifact, type ReadOptions } from './read.ts'
import type { StoredArtifact } from './stored-artifact.ts'

/** What verifying needs. */
export type VerifyOptions = ReadOptions & { readonly clock: Pick<RuntimeClock, 'now'> }

/** An artifact that was read back. */
export type VerifiedArtifact = StoredArtifact & { readonly verification: Verification; readonly verifiedAt: Date }

/** See {@link ArtifactStore.verify}. */
export async function verifyArtifact(
  options: VerifyOptions,
  id: string,
  { signal, mark = true }: { readonly signal: AbortSignal; readonly mark?: boolean | undefined },
): Promise<VerifiedArtifact> {
  const { clock, log } = options
  const artifact = await getArtifact(options, id, signal)
  const complete = artifact.verification?.complete
  const checked: Verification['checked'] =
    artifact.encoding.includes('age') && options.identities(artifact.plan).length === 0 ? 'stored' : 'decoded'
  try {
    await checkArtifact(options, artifact, checked, signal)
  } catch (error) {
    if (isHoldfastError(error) && damage.has(error.code)) {
      // Pruned meanwhile: what is missing was removed by ourselves.
      await getArtifact(options, id, signal)
      // An earlier success must not count any more; the error itself is told in any case.
      const found: Verification = { at: clock.now(), result: 'damaged', checked, reason: error.message, complete }
      await record(options, id, found, signal).catch((failed: unknown) =>
        log.warn(`${id} is damaged, which could not be written down: ${reasonOf(failed)}`, { error: failed }),
      )
    }
    throw error
  }
  const verification: Verification = { at: clock.now(), result: 'verified', checked, complete }
  if (mark) await recordVerified(options, id, verification, signal)
  try {
    return { ...(await getArtifact(options, id, signal)), verification, verifiedAt: verification.at }
  } catch (error) {
    // Pruned meanwhile: a mark of something that isn't there would stay until it is swept.
    if (mark && isHoldfastError(error) && error.code === 'ARTIFACT_NOT_FOUND')
      await options.driver.delete(objectKey(options.instance, id, 'verified'), { signal }).catch(() => {})
    throw error
  }
}

/** See {@link ArtifactStore.confirm}. */
export async function confirmArtifact(
  options: VerifyOptions,
  { id, verification }: Pick<VerifiedArtifact, 'id' | 'verification'>,
  signal: AbortSignal,
): Promise<void> {
  await recordVerified(options, id, { ...verification, complete: true }, signal)
}

async function recordVerified(
  options: VerifyOptions,
  id: string,
  verification: Verification,
  signal: AbortSignal,
): Promise<void> {
  try {
    await record(options, id, verification, signal)
  } catch (error) {
    // Whoever may only read the store can still prove what is in it; the proof just isn't kept.
    if (!isHoldfastError(error) || !forbidden.has(error.code)) throw error
    options.log.warn(`${id} is verified, which could not be written down: ${reasonOf(error)}`, { error })
  }
}

function record(
  { driver, instance }: VerifyOptions,
  id: string,
  verification: Verification,
  signal: AbortSignal,
): Promise<void> {
  return putText(driver, objectKey(instance, id, 'verified'), formatMark(verification), signal)
}

/** A directory says the first, a bucket the other. */
const forbidden = new Set(['STORAGE_READ_ONLY', 'STORAGE_DENIED'])
const damage = new Set(['ARTIFACT_DIGEST', 'ARTIFACT_DATA_MISSING'])
