import type { HoldfastFailure, Run, RunStatus, RunTrigger, TargetOutcome } from '@holdfast/sdk'
import type { StepName } from '../lifecycle/events.ts'

/** What the journal keeps of a failure: everything but live objects. */
export type FailureRecord = Omit<HoldfastFailure, 'cause'> & { readonly cause?: string | undefined }

/** What a process that owns runs and undos is known by. */
export interface ProcessRecord {
  readonly id: string
  readonly pid: number
  readonly host: string
  /** The kernel's boot id. */
  readonly boot: string
  /** UID of its pod. */
  readonly pod: string | undefined
  /** Name of its pod, where the API has confirmed it: by it others find out whether the pod lives. */
  readonly podName: string | undefined
  readonly namespace: string | undefined
  /** What keeps its pod: `Deployment/web`, as far as the pod says. Only pods of the same one look after each other. */
  readonly workload: string | undefined
  readonly container: string | undefined
  /** When process 1 of its container began, as the kernel counts: after a restart of the container it is another. */
  readonly containerStart: string | undefined
  /** When the process itself began, as the kernel counts: a pid that is used again has another. */
  readonly processStart: string | undefined
  readonly startedAt: Date
}

/** A run, as `holdfast history` shows it. */
export interface RunRecord {
  readonly id: string
  readonly plan: string
  readonly instance: string
  readonly trigger: RunTrigger
  /** The drill that it is a run of. */
  readonly drill: string | undefined
  readonly attempt: number
  readonly dryRun: boolean
  readonly scheduledFor: Date
  readonly startedAt: Date
  readonly endedAt: Date | undefined
  readonly durationMs: number | undefined
  /** `undefined` while it runs. */
  readonly status: RunStatus | undefined
  readonly reason: string | undefined
  readonly error: FailureRecord | undefined
  readonly warnings: readonly FailureRecord[]
  /** The process that ran it. */
  readonly process: string
}

/** One call of one handler. */
export interface HookRecord {
  readonly hook: StepName
  readonly participant: string
  readonly target: string | undefined
  readonly attempt: number
  readonly startedAt: Date
  /** `undefined`: it never settled. */
  readonly durationMs: number | undefined
  readonly error: FailureRecord | undefined
}

/** How a target of a past run ended. */
export interface TargetRecord {
  readonly target: string
  readonly status: TargetOutcome['status']
  readonly verification: TargetOutcome['verification']
  readonly reason: string | undefined
  readonly error: FailureRecord | undefined
}

/**
 * `armed`: will run. `firing`: being run. `done`: ran. `disarmed`: meant to stay. `dropped`: removed by a person.
 */
export type UndoState = 'armed' | 'firing' | 'done' | 'disarmed' | 'dropped'

/** An undo, pending or past. */
export interface UndoRecord {
  readonly id: string
  readonly run: string
  readonly plan: string
  readonly instance: string
  /** The plugin instance or hook module that armed it. */
  readonly participant: string
  /** The undo's name. */
  readonly undo: string
  /** JSON. */
  readonly input: string
  readonly armedAt: Date
  /** The process that armed it. */
  readonly process: string
  readonly state: UndoState
  readonly attempts: number
  readonly firedBy: string | undefined
  readonly settledAt: Date | undefined
  readonly error: string | undefined
}

/** The run of a record, in the contract's shape. */
export function runOf(record: RunRecord): Run {
  const { id, plan, attempt, scheduledFor, trigger, drill, dryRun } = record
  return { id, plan, attempt, scheduledFor, trigger, ...(drill !== undefined && { drill }), dryRun }
}
