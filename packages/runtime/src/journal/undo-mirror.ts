import type { UndoRecord } from './records.ts'

/**
 * A second home for armed undos, for state directories that die with their container (DESIGN §4b): ConfigMaps, once
 * there is access to a cluster.
 */
export interface UndoMirror {
  /** Durable when it resolves; a rejection means that the undo is not armed. */
  put(undo: Pick<UndoRecord, 'id' | 'run' | 'plan' | 'instance' | 'participant' | 'undo' | 'input'>): Promise<void>
  remove(id: string): Promise<void>
}
