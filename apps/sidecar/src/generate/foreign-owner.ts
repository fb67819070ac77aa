import type { HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'

/**
 * The error for a directory that this user may not use.
 *
 * @param found - what is known of the directory
 * @returns `undefined` when the system had another reason to refuse
 */
export function foreignOwner(
  action: 'read' | 'write to',
  path: string,
  cause: unknown,
  found: { readonly uid: number } | undefined,
): HoldfastError | undefined {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException
  if (code !== 'EACCES' && code !== 'EPERM') return undefined
  const user = process.getuid?.()
  if (user === undefined || found?.uid === user) return undefined
  const owner = found === undefined ? 'another user' : `user ${found.uid}`
  return errors.GENERATE_FOREIGN({ path, action, owner, user }, { cause })
}
