import type { Benji } from '../benji/benji.ts'
import type { BenjiVersion } from '../benji/version.ts'
import { errors } from '../errors.ts'
import { ownLabelNames } from '../labels.ts'
import { stateOf } from './points.ts'

/**
 * A version that can be restored (K31): not an incomplete one; an invalid or doubtful one only with `--force`.
 *
 * @throws HoldfastError `VOLUME_VERSION_GONE`, `VOLUME_VERSION_INCOMPLETE`, `VOLUME_VERSION_DOUBTFUL`
 */
export async function fitVersion(benji: Benji, uid: string, force: boolean): Promise<BenjiVersion> {
  const version = await benji.find(uid)
  if (!version) throw errors.VOLUME_VERSION_GONE({ uid })
  const state = stateOf(version)
  if (state === 'incomplete') throw errors.VOLUME_VERSION_INCOMPLETE({ uid })
  if (state !== 'valid' && !force) throw errors.VOLUME_VERSION_DOUBTFUL({ uid, doubt: doubtOf(version) })
  return version
}

function doubtOf({ status, labels }: BenjiVersion): string {
  const mismatch = labels[ownLabelNames.sourceMismatch]
  return status === 'valid'
    ? `differed from its source${mismatch ? ` (${mismatch})` : ''}`
    : 'is invalid: a scrub or a restore found damage'
}
