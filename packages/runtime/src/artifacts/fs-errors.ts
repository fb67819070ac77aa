import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'

/** The code of a system call's error (`ENOSPC`); `undefined` for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const readOnly = new Set(['EROFS', 'EACCES', 'EPERM'])
const missing = new Set(['ENOENT', 'ENOTDIR', 'EISDIR'])

/** A file system's error as one of the store's. What is no system error (a body's own) stays as it is. */
export function storageError(
  operation: 'put' | 'get' | 'list' | 'delete' | 'sweep',
  key: string,
  error: unknown,
): unknown {
  const code = errnoOf(error)
  if (code === undefined || isHoldfastError(error)) return error
  return fromErrno(operation, key, code, error as Error)
}

function fromErrno(
  operation: 'put' | 'get' | 'list' | 'delete' | 'sweep',
  key: string,
  code: string,
  cause: Error,
): HoldfastError {
  const reason = cause.message
  if (full.has(code)) return errors.STORAGE_FULL({ key, reason }, { cause })
  if (code === 'ENAMETOOLONG') return errors.STORAGE_KEY_INVALID({ key, reason: 'it is too long' }, { cause })
  if (operation === 'get' && missing.has(code)) return errors.STORAGE_NOT_FOUND({ key }, { cause })
  if (operation !== 'get' && operation !== 'list' && readOnly.has(code))
    return errors.STORAGE_READ_ONLY({ key, reason }, { cause })
  return errors.STORAGE_IO({ operation, key, reason }, { cause })
}
