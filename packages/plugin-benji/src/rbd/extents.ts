import * as z from 'zod'

/** Reads what `rbd diff --format=json` prints, piece by piece. */
export interface ExtentReader {
  push(chunk: Uint8Array): void
  /**
   * After the last chunk.
   *
   * @returns how many extents there were
   * @throws ExtentsBroken when the list didn't come to its end
   */
  end(): number
}

/** What was printed is no list of extents, or not all of it. */
export class ExtentsBroken extends Error {}

/** Benji ignores other members. */
const extent = z.object({
  offset: z.int().nonnegative(),
  length: z.int().nonnegative(),
  exists: z.union([z.boolean(), z.enum(['true', 'false'])]),
})

/** An extent as text is far shorter. */
const longestExtent = 4096

/**
 * Creates an {@link ExtentReader}: constant memory, however many extents there are. A list that was cut off must not pass
 * for a shorter one: what it lacks would be missing in the backup.
 */
export function createExtentReader(): ExtentReader {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let state: 'before' | 'first' | 'behind' | 'next' | 'after' = 'before'
  /** What there is of an extent. */
  let element = ''
  let count = 0

  const broken = (problem: string): ExtentsBroken => new ExtentsBroken(`${problem}, after ${count} extents`)

  const take = (text: string): void => {
    for (let at = 0; at < text.length;) at = element === '' ? between(text, at) : within(text, at)
  }
  /** @returns where to go on */
  const between = (text: string, at: number): number => {
    const character = text.charAt(at)
    if (/\s/.test(character)) return at + 1
    if (character === '{' && (state === 'first' || state === 'next')) element = '{'
    else if (character === '[' && state === 'before') state = 'first'
    else if (character === ',' && state === 'behind') state = 'next'
    else if (character === ']' && (state === 'first' || state === 'behind')) state = 'after'
    else throw broken(`${JSON.stringify(character)} where it does not belong`)
    return at + 1
  }
  /** @returns where to go on */
  const within = (text: string, at: number): number => {
    // An extent has no braces within.
    const brace = text.indexOf('}', at)
    const end = brace === -1 ? text.length : brace + 1
    element += text.slice(at, end)
    if (element.length > longestExtent) throw broken('an extent does not end')
    if (brace === -1) return end
    check(element)
    element = ''
    state = 'behind'
    return end
  }
  const check = (text: string): void => {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      throw broken(`${text.slice(0, 80)} is no JSON`)
    }
    if (!extent.safeParse(value).success) throw broken(`${text.slice(0, 80)} is no extent`)
    count += 1
  }

  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })
    } catch {
      throw broken('bytes that are no text')
    }
  }
  return {
    push: (chunk) => take(decode(chunk)),
    end() {
      take(decode())
      if (state !== 'after' || element !== '') throw broken('the list does not come to its end')
      return count
    },
  }
}
