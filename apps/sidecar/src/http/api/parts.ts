// Lists come a part at a time, so that no answer grows with what there is.
import { errors } from '../../errors.ts'

/** How many things one answer may have. */
export const mostItems = 200
const usualItems = 50

/** A part of a list. */
export interface Part<Item> {
  readonly items: readonly Item[]
  /** Of all parts; `undefined`: nobody counted. */
  readonly total?: number | undefined
  /** What to ask for to get the next one; nothing when this is the last. */
  readonly next?: Readonly<Record<string, string>> | undefined
}

/**
 * How many things are wanted.
 *
 * @throws HoldfastError `API_PARAMETER`
 */
export function limitIn(query: URLSearchParams, usual = usualItems): number {
  return numberIn(query, 'limit', { usual, least: 1, most: mostItems })
}

/**
 * The part of a list that is at hand whole.
 *
 * @throws HoldfastError `API_PARAMETER`
 */
export function partOf<Item>(all: readonly Item[], query: URLSearchParams, usual?: number): Part<Item> {
  const limit = limitIn(query, usual)
  const offset = numberIn(query, 'offset', { usual: 0, least: 0, most: 1_000_000 })
  const end = offset + limit
  return {
    items: all.slice(offset, end),
    total: all.length,
    ...(end < all.length && { next: { offset: String(end) } }),
  }
}

function numberIn(
  query: URLSearchParams,
  name: string,
  { usual, least, most }: { readonly usual: number; readonly least: number; readonly most: number },
): number {
  const value = query.get(name)
  if (value === null) return usual
  const number = Number(value)
  if (/^\d{1,7}$/.test(value) && number >= least && number <= most) return number
  throw errors.API_PARAMETER({ name, value, allowed: `a whole number from ${least} to ${most}` })
}
