// Codes that every driver has; the engine's catalogue declares them, and this package can't import that.
import { HoldfastError } from '@holdfast/sdk'
import type { Operation } from './errors.ts'

/** `STORAGE_NOT_FOUND`. */
export function notFound(key: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_NOT_FOUND',
    message: `there is no object "${key}" in the store`,
    hint: 'It was removed, or the store is not the one that it was written to.',
    docs: 'docs/errors.md#storage_not_found',
    details: { key },
    cause,
  })
}

/** `STORAGE_FULL`. */
export function full(key: string, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_FULL',
    message: `the store has no room for "${key}": ${reason}`,
    hint: 'Nothing was stored; earlier backups are untouched. Make room or raise the quota, or keep less with `retention`.',
    docs: 'docs/errors.md#storage_full',
    details: { key, reason },
    cause,
  })
}

/** `STORAGE_IO`: what has no code of its own. */
export function failed(operation: Operation, key: string, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_IO',
    message: `the store failed at ${operation} "${key}": ${reason}`,
    hint: 'What was being stored does not count as a backup; earlier ones are untouched. The reason is what the service said of itself: look at its log.',
    docs: 'docs/errors.md#storage_io',
    details: { operation, key, reason },
    retryable: true,
    cause,
  })
}
