// The stores that plans have used: one that was used and knows nothing of it is another one now, such as the directory below
// a volume that is not mounted.
import type { Statements } from './statements.ts'

/** Which stores a plan has used. */
export interface UsedStores {
  has(plan: string, address: string): boolean
  add(plan: string, address: string): void
}

/** They are kept with what else is known of this state directory. */
export function openUsedStores({ query, write }: Pick<Statements, 'query' | 'write'>): UsedStores {
  const keyOf = (plan: string, address: string): string => `store ${JSON.stringify([plan, address])}`
  const has = (key: string): boolean => query('SELECT 1 FROM meta WHERE key = ?', key).length > 0
  return {
    has: (plan, address) => has(keyOf(plan, address)),
    add(plan, address) {
      const key = keyOf(plan, address)
      if (!has(key)) write('store', 'INSERT OR IGNORE INTO meta VALUES (?, ?)', key, 'used')
    },
  }
}
