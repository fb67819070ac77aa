// Keys as paths below a directory. A key's parts keep their names, so that a store can be looked at and copied with
// ordinary tools; only what file systems can't take is changed, and everything can be read back.
import { join } from 'node:path'
import { errors } from '../errors.ts'

/** File systems end at 255 bytes; longer parts become nested directories of this many characters, marked by a `%`. */
const longestName = 200

/** Unfinished files. No key has such a part: a `%` begins two hex digits there. */
const temporary = '%tmp-'

const validPart = /^(?:[\w.~-]|%[0-9A-Fa-f]{2})+$/

/** Whether a part of a key is one that a driver must keep. */
function isPart(part: string): boolean {
  return validPart.test(part) && part !== '.' && part !== '..'
}

/**
 * The file of a key.
 *
 * @throws HoldfastError `STORAGE_KEY_INVALID`: empty parts, `.`, `..`, an absolute path, or a character that should
 * have been percent-encoded
 */
export function pathOfKey(root: string, key: string): string {
  const parts = key.split('/')
  for (const part of parts) {
    if (part === '') throw errors.STORAGE_KEY_INVALID({ key, reason: 'a part of it is empty' })
    if (!isPart(part)) throw errors.STORAGE_KEY_INVALID({ key, reason: `its part "${part}" is not allowed` })
  }
  return join(root, ...parts.flatMap(namesOfPart))
}

/** The directory of all keys that begin with a prefix, up to the prefix's last `/`. */
export function directoryOfPrefix(root: string, prefix: string): { readonly path: string; readonly key: string } {
  const end = prefix.lastIndexOf('/') + 1
  const key = prefix.slice(0, end)
  return { path: end === 0 ? root : pathOfKey(root, key.slice(0, -1)), key }
}

// A part that fills names completely ends in the name `%`, so that the part that goes on after it has a directory of
// its own, and the order of names stays the order of keys.
function namesOfPart(part: string): string[] {
  const names: string[] = []
  let rest = part
  for (; rest.length >= longestName; rest = rest.slice(longestName)) names.push(`${rest.slice(0, longestName)}%`)
  return [...names, rest === '' ? '%' : rest]
}

/** A name for a file that is only being written. */
export function temporaryName(unique: string): string {
  return `${temporary}${unique}`
}

/** Whether a file is one that was only being written. */
export function isTemporary(name: string): boolean {
  return name.startsWith(temporary)
}

/**
 * The key of a name in a directory.
 *
 * @param parent - the directory's key: empty, or ends in `/`, or is the beginning of a long part
 * @returns for a directory the prefix of the keys in it; `undefined` for what is no object of ours
 */
export function keyOfName(parent: string, name: string, kind: 'file' | 'directory'): string | undefined {
  if (isTemporary(name) || !/^[\w.~%-]+$/.test(name)) return undefined
  if (kind === 'directory' && name.length === longestName + 1 && name.endsWith('%')) return parent + name.slice(0, -1)
  const key = parent + (name === '%' ? '' : name)
  return isPart(key.slice(key.lastIndexOf('/') + 1)) ? key + (kind === 'directory' ? '/' : '') : undefined
}
