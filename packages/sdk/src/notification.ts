import type { HoldfastFailure } from './error.ts'
import type { RunStatus, RunTrigger, TargetOutcome } from './run.ts'

/**
 * What there is to tell of. `start`, `success`: a run begins, or succeeded as the one before it. `failure`: it failed or
 * was aborted. `partial`: in part. `recovery`: the first success after something else was told, or an undo was given back
 * at last. `stale`: no success for twice the longest time between two slots; said once. `undo`: something could not be
 * given back; said once.
 */
export type NotificationOccasion = 'start' | 'success' | 'failure' | 'partial' | 'recovery' | 'stale' | 'undo'

/** One target of the run. */
export interface NotifiedTarget {
  readonly id: string
  readonly status: TargetOutcome['status']
  readonly verification: TargetOutcome['verification']
  /** Of the error, if there is one. */
  readonly code?: string | undefined
}

/** The run that is told of. */
export interface NotifiedRun {
  readonly id: string
  readonly trigger: RunTrigger
  readonly attempt: number
  readonly scheduledFor: Date
  /** `undefined`: it has only begun. */
  readonly status?: RunStatus | undefined
  /** A word, such as `copies`. */
  readonly reason?: string | undefined
  readonly durationMs?: number | undefined
}

/** What a notifier is told. Known secrets are blanked in every text of it. */
export interface Notification {
  /** `test`: somebody tries whether this arrives; nothing has happened. */
  readonly kind: NotificationOccasion | 'test'
  readonly at: Date
  readonly instance: string
  /** Who tells: in a cluster the name of the pod. */
  readonly host: string
  readonly plan?: string | undefined
  /** The drill, if it is one's. */
  readonly drill?: string | undefined
  /** The plan backs nothing up. */
  readonly maintenance: boolean
  readonly run?: NotifiedRun | undefined
  readonly targets: readonly NotifiedTarget[]
  /** Of the error, if there is one. */
  readonly code?: string | undefined
  /** Where the error was, as far as it is known. */
  readonly plugin?: string | undefined
  readonly hook?: string | undefined
  /** Codes. */
  readonly warnings: readonly string[]
  /** `stale`: of the last success; absent: there is none. `recovery`: since when it was not well. */
  readonly since?: Date | undefined
  /** What could not be given back. */
  readonly undo?: { readonly id: string; readonly name: string; readonly plugin: string } | undefined
  /** The error itself, only with `errorTexts`. */
  readonly error?: Pick<HoldfastFailure, 'code' | 'message' | 'hint'> | undefined
  /** One line. */
  readonly subject: string
  /** Some lines; the first is not the subject. */
  readonly text: string
}
