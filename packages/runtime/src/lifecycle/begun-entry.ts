import type { HeardPromise } from './heard-promise.ts'

/** What a handler begins. */
export interface BegunKind {
  readonly kind: 'artifact' | 'command' | 'undo'
  /** For messages: of the artifact, the program, or the undo. */
  readonly name: string
  /** A command with a signal of its own: it may go on beside the handler, until what the handler took is given back. */
  readonly until?: AbortSignal | undefined
}

/** Something that was begun. */
export interface Entry extends BegunKind {
  readonly made: Promise<unknown>
  /** What the handler has of it. */
  readonly given: HeardPromise<unknown>
  /** Begun when the handler had returned or failed. */
  readonly isLate: boolean
  state: 'pending' | 'done' | 'failed'
  error?: unknown
}

/** Whether it is none of the handler's own, which had ended. */
export function isLate(entry: Entry): boolean {
  return entry.isLate
}

/** Rejects as it does, unless whoever began the command has taken its failure: by `catch`, and nobody waits for it besides. */
export async function unlessCaught({ kind, made, given }: Entry): Promise<unknown> {
  try {
    return await made
  } catch (error) {
    if (kind !== 'command' || given.caught === undefined) throw error
    return given.caught
  }
}
