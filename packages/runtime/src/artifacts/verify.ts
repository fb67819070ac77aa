import { isHoldfastError } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { reasonOf } from '../failure.ts'
import { getArtifact } from './catalogue.ts'
import { objectKey } from './keys.ts'
import { formatMark, type Verification } from './marks.ts'
import { putText } from './objects.ts'
import { checkArtifact, type ReadOptions } from './read.ts'
import type { StoredArtifact } from './stored-artifact.ts'

/** See {@link ArtifactStore.verify}. */
export async function verifyArtifact(
  options: ReadOptions & { readonly clock: Pick<RuntimeClock, 'now'> },
  id: string,
  signal: AbortSignal,
): Promise<StoredArtifact & { readonly verifiedAt: Date }> {
  const { driver, instance, clock, log } = options
  const artifact = await getArtifact(options, id, signal)
  const checked: Verification['checked'] =
    artifact.encoding.includes('age') && options.identities().length === 0 ? 'stored' : 'decoded'
  const record = async (verification: Verification): Promise<void> =>
    putText(driver, objectKey(instance, id, 'verified'), formatMark(verification), signal)
  try {
    await checkArtifact(options, artifact, checked, signal)
  } catch (error) {
    if (isHoldfastError(error) && damage.has(error.code)) {
      // An earlier success must not count any more; the error itself is told in any case.
      await record({ at: clock.now(), result: 'damaged', checked, reason: error.message }).catch((failed: unknown) =>
        log.warn(`${id} is damaged, which could not be written down: ${reasonOf(failed)}`, { error: failed }),
      )
    }
    throw error
  }
  const verification: Verification = { at: clock.now(), result: 'verified', checked }
  try {
    await record(verification)
  } catch (error) {
    // Whoever may only read the store can still prove what is in it; the proof just isn't kept.
    if (!isHoldfastError(error) || error.code !== 'STORAGE_READ_ONLY') throw error
    log.warn(`${id} is verified, which could not be written down: ${reasonOf(error)}`, { error })
  }
  return { ...(await getArtifact(options, id, signal)), verification, verifiedAt: verification.at }
}

const damage = new Set(['ARTIFACT_DIGEST', 'ARTIFACT_DATA_MISSING'])
