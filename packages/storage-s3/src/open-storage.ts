import type { StorageDriver } from '@holdfast/sdk'
import { errors } from './errors.ts'
import { optionNames, type S3Options } from './options.ts'
import { s3 } from './s3.ts'

/**
 * The store at an address: `s3://bucket/prefix?endpoint=https://…&region=…`. The query has the options of {@link s3} by
 * their names; `objectLock` is written `GOVERNANCE:30`.
 *
 * @throws HoldfastError `STORAGE_OPTIONS_INVALID`
 */
export function openStorage(url: URL): StorageDriver {
  if (url.username !== '' || url.password !== '')
    throw invalid('address', 'it has credentials in it, which end up in logs and process lists')
  if (url.hash !== '') throw invalid('address', 'it has a #; write %23')
  if (url.port !== '')
    throw invalid('address', 'it has a port, which belongs to the endpoint: ?endpoint=https://host:port')
  const options: Record<string, unknown> = { bucket: url.hostname, prefix: decoded(url.pathname) }
  for (const [name, text] of url.searchParams) {
    if (name === 'bucket' || name === 'prefix') throw invalid(`option ${name}`, 'it stands before the ?')
    if (Object.hasOwn(options, name)) throw invalid(`option ${name}`, 'it is there twice')
    options[name] = (readers[name] ?? ((same) => same))(text)
  }
  return s3(options as unknown as S3Options)
}

const flag = (text: string): unknown => (text === 'true' ? true : text === 'false' ? false : text)

/** How options are read that are no texts; what isn't understood stays a text, and is refused by its validation. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  forcePathStyle: flag,
  bucketKey: flag,
  concurrency: (text) => (/^\d+$/.test(text) ? Number(text) : text),
  objectLock(text) {
    const [, mode, days] = /^(\w+):(\d+)$/.exec(text) ?? []
    return mode === undefined ? text : { mode, days: Number(days) }
  },
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw invalid('address', 'it has a % that is followed by no two hex digits; write %25')
  }
}

function invalid(option: string, reason: string): Error {
  return errors.STORAGE_OPTIONS_INVALID({ option, reason, known: optionNames.join(', ') })
}
