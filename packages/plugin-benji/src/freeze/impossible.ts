import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { Claim } from '../target.ts'

/** Why a claim can't be frozen: nothing has been done. */
export function impossible(
  { namespace, name }: Pick<Claim, 'namespace' | 'name'>,
  reason: string,
  advice: string,
  cause?: unknown,
): HoldfastError {
  return errors.FREEZE_IMPOSSIBLE(
    { claim: `${namespace}/${name}`, reason, advice },
    isHoldfastError(cause) ? { cause, retryable: cause.retryable } : {},
  )
}
