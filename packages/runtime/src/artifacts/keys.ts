// Where an artifact lies in the store: <instance>/<plan>/<target>/<time>-<run>/<name>.<kind>. Each part is
// percent-encoded, so that every plan, target and name is safe and can be read back from the key.
import type { Encoding } from '@holdfast/sdk'
import { errors } from '../errors.ts'

/** What tells an artifact from all others of an instance. */
export interface ArtifactLocation {
  readonly plan: string
  readonly target: string
  /** When its run began, in milliseconds precision. */
  readonly startedAt: Date
  readonly run: string
  readonly name: string
}

/** The objects of an artifact; `data` and `manifest` are always there, the others come later. */
export type ObjectKind = 'data' | 'manifest' | 'verified' | 'accepted'

/** The longest key that every store takes, its own prefix left out: S3 ends at 1,024 bytes. */
const longestKey = 900

/**
 * A text as one part of a key: letters, digits, `.`, `_` and `-` stay, all else becomes the percent-encoded bytes of
 * its UTF-8. A leading `.` or `-` is encoded too, so that no part is hidden, a relative path or an option. The empty text
 * is `_`.
 *
 * @throws URIError for a text that isn't Unicode (half of a surrogate pair)
 */
export function encodePart(text: string): string {
  if (text === '') return '_'
  if (text === '_') return '%5F'
  const escape = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  return encodeURIComponent(text)
    .replaceAll(/[!'()*~]/g, escape)
    .replace(/^[.-]/, escape)
}

/** The text of a part; `undefined` for what {@link encodePart} never makes. */
export function decodePart(part: string): string | undefined {
  try {
    const text = part === '_' ? '' : decodeURIComponent(part)
    return encodePart(text) === part ? text : undefined
  } catch {
    return undefined
  }
}

/**
 * An artifact's id: `<plan>/<target>/<time>-<run>/<name>`, its manifest's key without instance and suffix. It needs no
 * quotes on a command line.
 *
 * @throws HoldfastError `ARTIFACT_NAME_INVALID`
 */
export function artifactId({ plan, target, startedAt, run, name }: ArtifactLocation): string {
  const part = (what: string, text: string): string => {
    try {
      return encodePart(text)
    } catch (error) {
      throw errors.ARTIFACT_NAME_INVALID({ what, name: text, reason: 'it is not Unicode' }, { cause: error })
    }
  }
  const id = [
    part('plan', plan),
    part('target', target),
    `${formatTime(startedAt)}-${part('run', run)}`,
    part('name', name),
  ].join('/')
  if (id.length > longestKey) {
    const reason = `its key has ${id.length} characters, more than ${longestKey}`
    throw errors.ARTIFACT_NAME_INVALID({ what: 'artifact', name, reason })
  }
  return id
}

/** What an id stands for; `undefined` for what {@link artifactId} never makes. */
export function parseArtifactId(id: string): ArtifactLocation | undefined {
  const parts = id.split('/')
  if (parts.length !== 4) return undefined
  const [plan, target, name] = [parts[0], parts[1], parts[3]].map((part = '') => decodePart(part))
  const [, time = '', runPart = ''] = /^([^-]*)-(.*)$/.exec(parts[2] ?? '') ?? []
  const startedAt = parseTime(time)
  const run = decodePart(runPart)
  if (plan === undefined || target === undefined || name === undefined || run === undefined || !startedAt)
    return undefined
  return { plan, target, startedAt, run, name }
}

/**
 * The key of one of an artifact's objects.
 *
 * @param encoding - for `data`: how it is encoded, which its suffix says (`.data.zst.age`)
 */
export function objectKey(instance: string, id: string, kind: ObjectKind, encoding: readonly Encoding[] = []): string {
  const suffix =
    kind === 'data' ? ['data', ...encoding.map((each) => suffixes[each])].join('.') : (`${kind}.json` as const)
  return `${encodePart(instance)}/${id}.${suffix}`
}

const suffixes = { zstd: 'zst', gzip: 'gz', age: 'age' } as const satisfies Record<Encoding, string>

/** What a key belongs to; `undefined` for every object that isn't part of an artifact of this instance. */
export function parseObjectKey(
  instance: string,
  key: string,
): { readonly id: string; readonly location: ArtifactLocation; readonly kind: ObjectKind } | undefined {
  const prefix = `${encodePart(instance)}/`
  if (!key.startsWith(prefix)) return undefined
  const match = /^(.+)\.(?:(data)(?:\.zst|\.gz)?(?:\.age)?|(manifest|verified|accepted)\.json)$/.exec(
    key.slice(prefix.length),
  )
  if (!match) return undefined
  const [, id = '', data, json] = match
  const location = parseArtifactId(id)
  return location && { id, location, kind: (data ?? json) as ObjectKind }
}

/** The instance that an artifact's object belongs to; `undefined` for any other object. */
export function instanceOfKey(key: string): string | undefined {
  const instance = decodePart(key.slice(0, Math.max(0, key.indexOf('/'))))
  return instance !== undefined && parseObjectKey(instance, key) ? instance : undefined
}

/** The prefix of all keys of an instance, a plan of it, or a target of that. */
export function keyPrefix(instance: string, plan?: string, target?: string): string {
  const parts = [instance]
  if (plan !== undefined) parts.push(plan)
  if (plan !== undefined && target !== undefined) parts.push(target)
  return `${parts.map(encodePart).join('/')}/`
}

// ISO 8601's basic form sorts as text, and has no character that a key or a shell would mind.
function formatTime(time: Date): string {
  return time.toISOString().replaceAll(/[-:]/g, '')
}

function parseTime(text: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3}Z)$/.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, rest] = match
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${rest}`)
  return Number.isNaN(time.getTime()) || formatTime(time) !== text ? undefined : time
}
