import type { HookName, Outcome, PlannedStep, RestorePoint, Run, RunStatus, TargetOutcome } from '@holdfast/sdk'
import type { KeptPoint } from '../artifacts/retention.ts'
import type { FailureRecord } from '../journal/records.ts'

/** What is called in a run: a hook, or a step of a drill. */
export type StepName = HookName | 'restore' | 'expect'

/** What happens during a run, in order: for progress, metrics, tests and the person who watches. */
export type RunEvent =
  | { readonly type: 'run-started'; readonly run: Run; readonly at: Date }
  | { readonly type: 'targets-found'; readonly run: Run; readonly targets: readonly string[] }
  | {
      readonly type: 'hook-started'
      readonly run: Run
      readonly hook: StepName
      readonly participant: string
      readonly target?: string | undefined
      readonly attempt: number
    }
  | {
      readonly type: 'hook-ended'
      readonly run: Run
      readonly hook: StepName
      readonly participant: string
      readonly target?: string | undefined
      readonly attempt: number
      readonly durationMs: number
      readonly error?: FailureRecord | undefined
    }
  | { readonly type: 'target-ended'; readonly run: Run; readonly outcome: TargetOutcome }
  | {
      readonly type: 'artifact-committed'
      readonly run: Run
      readonly target: string
      readonly point: RestorePoint
      readonly storedSize: number
      readonly durationMs: number
    }
  | {
      readonly type: 'undo-armed'
      readonly run: Run
      readonly undo: string
      readonly participant: string
      readonly id: string
    }
  | {
      readonly type: 'undo-settled'
      readonly run: Run
      readonly undo: string
      readonly participant: string
      readonly id: string
      readonly result: 'done' | 'failed' | 'disarmed' | 'taken'
      readonly recovered: boolean
      /** Milliseconds between arming and now. */
      readonly heldMs: number
      readonly error?: FailureRecord | undefined
    }
  | {
      readonly type: 'backup-chosen'
      readonly run: Run
      readonly target: string
      /** What a drill is going to restore. */
      readonly points: readonly RestorePoint[]
    }
  | {
      readonly type: 'progress'
      readonly run: Run
      readonly target?: string | undefined
      readonly done: number
      readonly total?: number | undefined
      readonly note?: string | undefined
    }
  | {
      readonly type: 'pruned'
      readonly run: Run
      readonly target: string
      readonly points: readonly RestorePoint[]
      /** Those that stay, and why. */
      readonly kept: readonly KeptPoint[]
      readonly dryRun: boolean
      /** From this copy, by its own list. Default: from the store itself. */
      readonly copy?: string | undefined
    }
  | {
      readonly type: 'copy-started'
      readonly run: Run
      readonly copy: string
      /** Artifacts that it lacks. */
      readonly lacks: number
      /** Of them, in the store. */
      readonly storedSize: number
    }
  | {
      readonly type: 'artifact-copied'
      readonly run: Run
      readonly copy: string
      readonly target: string
      /** Its id. */
      readonly artifact: string
      readonly storedSize: number
      readonly durationMs: number
    }
  | {
      readonly type: 'copy-ended'
      readonly run: Run
      readonly copy: string
      /** Artifacts that were copied. */
      readonly copied: number
      /** Artifacts that it still lacks; `undefined`: it could not be asked. */
      readonly lacks: number | undefined
      readonly durationMs: number
      readonly error?: FailureRecord | undefined
    }
  | { readonly type: 'planned'; readonly run: Run; readonly target: string; readonly steps: readonly PlannedStep[] }
  | { readonly type: 'warning'; readonly run: Run; readonly error: FailureRecord }
  | {
      readonly type: 'run-ended'
      readonly run: Run
      readonly outcome: Outcome
      readonly status: RunStatus
      readonly durationMs: number
    }

/** Takes events; must not throw. */
export type RunEventListener = (event: RunEvent) => void
