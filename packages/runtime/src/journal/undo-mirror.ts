import type { Run } from '@holdfast/sdk'
import type { ProcessRecord, UndoRecord } from './records.ts'
import type { MirroredVars } from './mirrored-vars.ts'

/** Everything that a process with an empty state directory needs to run an undo. */
export interface MirroredUndo {
  readonly undo: Pick<UndoRecord, 'id' | 'plan' | 'instance' | 'participant' | 'undo' | 'input' | 'armedAt'>
  readonly run: Run
  readonly runStartedAt: Date
  /** As they were when the undo was armed. */
  readonly vars: MirroredVars
  /** The process that armed it. */
  readonly owner: ProcessRecord
}

/** Whose turn an undo is: `done` has been run by somebody else, `taken` is being run by somebody else. */
export type MirrorStanding = 'ours' | 'taken' | 'done'

/**
 * A second home for armed undos, for state directories that die with their container (DESIGN §4b): ConfigMaps. All but
 * {@link UndoMirror.put} do nothing where it can't be used.
 */
export interface UndoMirror {
  /**
   * Finds out who we are and whether it can be used, once; what could not be found out is asked for again a minute later.
   * Never rejects.
   *
   * @param options - `insists`: asked for again now, if need be
   */
  prepare(options?: { readonly insists?: boolean }): Promise<void>
  /** Durable when it resolves, or not used here; a rejection means that the undo is not armed. */
  put(undo: MirroredUndo): Promise<void>
  /** @param options - `isUrgent`: others wait to be given back, so it is left for later rather than waited for */
  remove(id: string, options?: { readonly isUrgent?: boolean }): Promise<void>
  /** Removes what was left for later, when nothing waits any more. Never rejects. */
  removeLeft(): Promise<void>
  /**
   * Those of our instance; none where it can't be used. Rejects when that isn't known.
   *
   * @param onDamaged - told of each that can't be read
   */
  list(onDamaged?: (name: string) => void): Promise<readonly MirroredUndo[]>
  /** Whether somebody else took an undo of ours, because we looked dead. Asks once, and shortly: nothing waits for it. */
  standing(id: string): Promise<MirrorStanding>
  /**
   * Takes an undo of somebody who is gone, so that one of us runs it.
   *
   * @param options - `journal`: it is in our own journal, so it is run even if this can't be asked; `mirror`: it is only
   * in the mirror, so nobody runs it when it isn't there any more
   */
  claim(id: string, options: { readonly from: 'journal' | 'mirror' }): Promise<MirrorStanding>
  /** Lets others try: we could not run it. */
  release(id: string): Promise<void>
  /** Removes claims that say nothing any more. */
  sweep(): Promise<void>
}
