import type { HoldfastError } from '@holdfast/sdk'
import { errors } from './errors.ts'

/** What nobody foresaw is our fault, and is said so. */
export function internalError(error: unknown): HoldfastError {
  const reason = error instanceof Error ? error.message : String(error)
  return errors.INTERNAL({ reason: reason.split('\n', 1)[0] ?? '' }, { cause: error })
}
