import type { ProcessRecord } from './records.ts'

/** What is known of an owner. */
export type Liveness = 'alive' | 'gone' | 'unknown'

/** What others say of owners that can't be seen from here. */
export interface Owners {
  /**
   * Asks the cluster about the pods of these owners; whoever is gone stays gone, the others are asked for again. Never
   * rejects: what can't be found out is unknown.
   */
  refresh(owners: readonly ProcessRecord[]): Promise<void>
  /** What is known of an owner's pod since the last {@link Owners.refresh}. */
  podOf(owner: ProcessRecord): Liveness
  /**
   * A process counts as gone, whatever its pod does: it was the leader and lost its lease. Only as long as `isLeading`
   * says so: it may live, lead again, and arm undos anew.
   *
   * @returns ends it
   */
  depose(process: string, isLeading: () => boolean): () => void
  isDeposed(process: string): boolean
}

/** Without a cluster nobody knows anything of other pods. */
export function withoutCluster(): Owners {
  return { refresh: async () => {}, podOf: () => 'unknown', depose: () => () => {}, isDeposed: () => false }
}
