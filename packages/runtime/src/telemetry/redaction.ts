import { createByteMatcher, type ByteMatcher } from './byte-matcher.ts'
import { plainValue, type PlainValueOptions } from './plain-value.ts'
import { secretForms } from './secret-forms.ts'
import { redactUserinfo } from './url-userinfo.ts'

/** What stands where a secret was. */
export const redactedText = '[redacted]'

/** Blanks secrets in everything that leaves the process. One per process. */
export interface Redactor {
  /**
   * Makes a secret known, in all its forms: as it is, percent-encoded, in JSON, in base64, and the lines of one that
   * has several. Values of fewer than three characters are ignored: they would blank ordinary text.
   */
  add(secret: string): void
  /**
   * Whether a text, such as an argument of a command, holds a known secret. A short word of letters only (`postgres`
   * as the password of `postgres`) doesn't count: it can't be told from the same word used for something else.
   */
  exposes(text: string): boolean
  /** Blanks known secrets, and passwords in URLs (`scheme://user:password@host`). */
  text(text: string): string
  /** The same in every string of a value, as plain JSON-like data; keys are kept, errors become objects. */
  value(value: unknown, options?: PlainValueOptions): unknown
  /** For a stream of bytes; known secrets only, wherever its chunks are cut. */
  stream(): RedactingStream
}

/** Blanks secrets in one stream of bytes. */
export interface RedactingStream {
  /**
   * What can be passed on now. Bytes that may be the beginning of a secret are held back until the next chunk or the
   * end: at most about 1 KiB, and none where there is no such beginning.
   *
   * @returns the chunk itself where nothing was found, so valid only as long as the chunk is
   */
  push(chunk: Uint8Array): Uint8Array
  /** The rest, at the end of the stream. */
  flush(): Uint8Array
}

/** The oldest are forgotten beyond this, or a daemon with rotated secrets would grow for ever. */
const mostSecrets = 2000
const replacement = Buffer.from(redactedText)
const nothing = new Uint8Array()

/** Creates a {@link Redactor} that knows no secret yet. */
export function createRedactor(): Redactor {
  const known = new Map<string, ReadonlySet<string>>()
  let matcher: ByteMatcher | undefined
  let telling: ByteMatcher | undefined
  let stale = false

  const refresh = (): void => {
    if (!stale) return
    stale = false
    matcher = matcherOf([...known.values()])
    telling = matcherOf([...known].filter(([secret]) => isTelling(secret)).map(([, forms]) => forms))
  }

  const text = (input: string): string => {
    refresh()
    if (!matcher) return redactUserinfo(input, redactedText)
    const bytes = Buffer.from(input)
    const found = blank(matcher, bytes, { final: true, afterBlank: false })
    return redactUserinfo(found.out === bytes ? input : Buffer.from(found.out).toString(), redactedText)
  }

  return {
    add(secret) {
      if (known.has(secret)) return
      const forms = secretForms(secret)
      if (forms.size === 0) return
      known.set(secret, forms)
      const [oldest] = known.keys()
      if (known.size > mostSecrets && oldest !== undefined) known.delete(oldest)
      stale = true
    },
    exposes(input) {
      refresh()
      return telling?.find(Buffer.from(input), 0) !== undefined
    },
    text,
    value: (value, options) => plainValue(value, text, options),
    stream() {
      let held: Uint8Array = nothing
      let afterBlank = false
      const take = (chunk: Uint8Array, final: boolean): Uint8Array => {
        refresh()
        if (!matcher) {
          const out = held.length > 0 ? Buffer.concat([held, chunk]) : chunk
          held = nothing
          return out
        }
        const data = held.length > 0 ? Buffer.concat([held, chunk]) : chunk
        const found = blank(matcher, data, { final, afterBlank })
        held = found.rest === data.length ? nothing : Uint8Array.prototype.slice.call(data, found.rest)
        if (data.length > 0) afterBlank = found.afterBlank
        return found.out
      }
      return { push: (chunk) => take(chunk, false), flush: () => take(nothing, true) }
    },
  }
}

interface Blanked {
  readonly out: Uint8Array
  /** From here on the data are held back. */
  readonly rest: number
  /** Whether the output ends in a replacement: another one directly behind it would say nothing. */
  readonly afterBlank: boolean
}

function blank(
  matcher: ByteMatcher,
  data: Uint8Array,
  { final, afterBlank }: { final: boolean; afterBlank: boolean },
): Blanked {
  const pieces: Uint8Array[] = []
  let at = 0
  let hold = final ? data.length : matcher.open(data, 0)
  let ending = afterBlank
  for (let match = matcher.find(data, 0); match && match.start < hold; match = matcher.find(data, at)) {
    if (match.start > at) ending = false
    pieces.push(data.subarray(at, match.start))
    if (!ending) pieces.push(replacement)
    ending = true
    at = match.end
    if (at > hold) hold = matcher.open(data, at)
  }
  if (hold > at) ending = false
  if (at === 0) return { out: hold === data.length ? data : data.subarray(0, hold), rest: hold, afterBlank: ending }
  pieces.push(data.subarray(at, hold))
  return { out: Buffer.concat(pieces), rest: hold, afterBlank: ending }
}

function matcherOf(sets: readonly ReadonlySet<string>[]): ByteMatcher | undefined {
  const forms = new Set(sets.flatMap((set) => [...set]))
  return forms.size === 0 ? undefined : createByteMatcher([...forms].map((form) => Buffer.from(form)))
}

function isTelling(secret: string): boolean {
  return secret.length >= 6 && !(secret.length < 12 && /^[a-z]+$/i.test(secret))
}
