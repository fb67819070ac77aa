import type { Exec, Kubernetes, Logger, Meter, Secrets } from '@holdfast/sdk'
import type { ArtifactStore } from './artifacts/store.ts'
import type { RuntimeClock } from './clock.ts'
import type { Journal } from './journal/journal.ts'
import type { Locks } from './journal/locks.ts'
import type { Owners } from './journal/owners.ts'
import type { ProcessRecord } from './journal/records.ts'
import type { UndoMirror } from './journal/undo-mirror.ts'
import type { RunEventListener } from './lifecycle/events.ts'
import type { ResolvedConfig } from './load/resolved.ts'
import type { RuntimeLogger } from './telemetry/log.ts'

/** Everything the engine's parts share. One per process and state directory. */
export interface Services {
  readonly clock: RuntimeClock
  readonly log: RuntimeLogger
  readonly meter: Meter
  readonly secrets: Secrets
  readonly locks: Locks
  readonly journal: Journal
  readonly process: ProcessRecord
  readonly stateDirectory: string
  readonly kubernetes: Kubernetes | undefined
  /** A second home for armed undos; `undefined` where there is none. */
  readonly undoMirror: UndoMirror | undefined
  /** What is known of owners in other pods. */
  readonly owners: Owners
  /** Never throws. */
  readonly emit: RunEventListener
  /** Ids of undos that somebody in this process will run, or is running: not for recovery to touch. */
  readonly heldUndos: Set<string>
  /** Undos in the cluster, by id, of which nobody can tell whether their owner lives: their names. */
  readonly strayUndos: Map<string, string>
  /** The commands of one hook call end with its signal. */
  execFor(options: { readonly signal: AbortSignal; readonly log: Logger }): Exec
  /** The configuration in force. */
  config(): ResolvedConfig
  /** The artifact store of the configuration in force. */
  store(): ArtifactStore
  readonly shutdown: Shutdown
}

/** How much time is left, and for what. */
export interface Shutdown {
  /** Aborts when no new work may begin. */
  readonly requested: AbortSignal
  /** Aborts when hooks that were told to stop are left behind: what is left of the grace belongs to undos. */
  readonly abandoned: AbortSignal
  /** Aborts when there is time for undos only: a second TERM. */
  readonly hurried: AbortSignal
  /** Aborts when the grace is used up: what has not been given back by then stays in the journal. */
  readonly expired: AbortSignal
}
