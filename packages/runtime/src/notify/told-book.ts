import { quietly } from '../journal/quietly.ts'
import type { Services } from '../services.ts'

/**
 * What was told and is not over yet: kept in the journal, so that neither a restart nor another process with the same state
 * directory repeats it, or forgets to say when it is over.
 */
export interface ToldBook {
  /** Notes that it began. @returns false: it is known already */
  begin(what: string): boolean
  /** Notes that all of these are over. @returns since when it was so, if one of them was */
  over(whats: readonly string[]): Date | undefined
  /** What is not over yet and begins so. */
  open(prefix: string): readonly string[]
}

/** Opens it. Where the journal can't be written, things are told once more rather than not at all. */
export function createToldBook(services: Pick<Services, 'journal' | 'log' | 'meter'>): ToldBook {
  const { journal } = services
  const told = (prefix: string): ReadonlyMap<string, Date> => quietly(services, () => journal.told(prefix)) ?? new Map()
  return {
    begin: (what) => quietly(services, () => journal.beginTold(what)) ?? true,
    over(whats) {
      const since = whats.flatMap((what) => told(what).get(what) ?? [])
      if (since.length > 0) for (const what of whats) quietly(services, () => journal.endTold(what))
      return since.toSorted((a, b) => a.getTime() - b.getTime())[0]
    },
    open: (prefix) => [...told(prefix).keys()],
  }
}
