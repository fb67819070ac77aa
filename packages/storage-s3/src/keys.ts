// Keys as those of a bucket: below the store's prefix, and with long parts cut into several, exactly as the driver for
// directories does it. Services that keep objects as files (MinIO, versitygw) end at names of 255 bytes, and a store can
// be copied between a bucket and a directory with ordinary tools.
import { HoldfastError } from '@holdfast/sdk'

const longestName = 200
/** Of an object in S3, in bytes. */
const longestKey = 1024

const validPart = /^(?:[\w.~-]|%[0-9A-Fa-f]{2})+$/

/**
 * The object of a key.
 *
 * @throws HoldfastError `STORAGE_KEY_INVALID`
 */
export function objectOfKey(prefix: string, key: string): string {
  for (const part of key.split('/')) {
    if (part === '') throw invalid(key, 'a part of it is empty')
    if (!isPart(part)) throw invalid(key, `its part "${part}" is not allowed`)
  }
  const object = below(prefix, key.split('/').map(splitPart).join('/'))
  if (Buffer.byteLength(object) > longestKey) throw invalid(key, `with its prefix it has more than ${longestKey} bytes`)
  return object
}

/** What the objects of all keys begin with that begin with a prefix. */
export function objectsOfPrefix(prefix: string, keyPrefix: string): string {
  const end = keyPrefix.lastIndexOf('/') + 1
  const whole = keyPrefix.slice(0, end).split('/').map(splitPart).join('/')
  return below(prefix, whole + splitBeginning(keyPrefix.slice(end)))
}

/** The key of an object; `undefined` for what is no object of ours. */
export function keyOfObject(prefix: string, object: string): string | undefined {
  const start = below(prefix, '')
  if (!object.startsWith(start)) return undefined
  const names = object.slice(start.length).split('/')
  const parts: string[] = []
  let open = ''
  for (const name of names) {
    if (name.length === longestName + 1 && name.endsWith('%')) {
      open += name.slice(0, -1)
      continue
    }
    // A part that is this long was cut.
    if (name.length >= longestName) return undefined
    const part = open + (open !== '' && name === '%' ? '' : name)
    if (!isPart(part)) return undefined
    parts.push(part)
    open = ''
  }
  return open === '' ? parts.join('/') : undefined
}

function isPart(part: string): boolean {
  return validPart.test(part) && part !== '.' && part !== '..'
}

function below(prefix: string, rest: string): string {
  return prefix === '' ? rest : `${prefix}/${rest}`
}

// A part that fills names completely ends in the name `%`.
function splitPart(part: string): string {
  if (part.length < longestName) return part
  const beginning = splitBeginning(part)
  return beginning.endsWith('/') ? `${beginning}%` : beginning
}

function splitBeginning(part: string): string {
  const names: string[] = []
  let rest = part
  for (; rest.length >= longestName; rest = rest.slice(longestName)) names.push(`${rest.slice(0, longestName)}%/`)
  return names.join('') + rest
}

function invalid(key: string, reason: string): HoldfastError {
  return new HoldfastError({
    code: 'STORAGE_KEY_INVALID',
    message: `"${key}" cannot be a key in the store: ${reason}`,
    hint: 'Nothing was read or written. Keys are relative paths whose parts are percent-encoded.',
    docs: 'docs/errors.md#storage_key_invalid',
    details: { key, reason },
  })
}
