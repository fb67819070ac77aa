import type { HoldfastFailure } from './error.ts'
import type { Json } from './json.ts'

/** A reference to an object in Kubernetes. */
export interface ObjectRef {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string | undefined
  readonly name: string
  readonly uid?: string | undefined
}

/**
 * One thing that is backed up: a PVC, a database, a set of scripts. Failures are isolated per target.
 * Ids are unique within a plan.
 */
export interface Target<Data extends Json = Json> {
  readonly id: string
  /** For the plugin's own hooks; may be empty. */
  readonly labels: Readonly<Record<string, string>>
  /** What the plugin's hooks need to know about it. */
  readonly data: Data
  /** The Kubernetes object that events are about. */
  readonly object?: ObjectRef | undefined
}

/** Anything a target can be restored from: artifacts in the store, or a version in an external engine such as Benji. */
export interface RestorePoint<Ref extends Json = Json> {
  readonly id: string
  readonly target: string
  readonly createdAt: Date
  /** Bytes before encoding. */
  readonly size?: number | undefined
  readonly mode?: 'full' | 'differential' | undefined
  /** `suspect`: committed, but something (a size drop) asks for a look; never the base of pruning. */
  readonly state: 'valid' | 'suspect' | 'invalid' | 'incomplete'
  readonly verifiedAt?: Date | undefined
  readonly ref: Ref
}

/** How an artifact's bytes are stored, in the order in which the encodings were applied. */
export type Encoding = 'zstd' | 'gzip' | 'age'

/** A committed stream in the artifact store. */
export interface Artifact {
  readonly id: string
  readonly name: string
  readonly target: string
  readonly createdAt: Date
  /** Bytes before encoding. */
  readonly size: number
  /** Hex digest of the bytes before encoding. */
  readonly sha256: string
  /** Bytes in the store. */
  readonly storedSize: number
  readonly encoding: readonly Encoding[]
  readonly verifiedAt?: Date | undefined
  readonly meta: Readonly<Record<string, Json>>
}

/** What started a run. */
export type RunTrigger =
  'boot' | 'schedule' | 'catch-up' | 'manual' | 'retry' | 'verify' | 'restore' | 'drill' | 'command'

/** One execution of a plan. Booting, restores and drills are runs too: journalled, with undo, vars and a budget. */
export interface Run {
  readonly id: string
  readonly plan: string
  /** 1 for the first attempt. */
  readonly attempt: number
  readonly scheduledFor: Date
  readonly trigger: RunTrigger
  /** The drill that it is a run of, where the trigger is `drill`. */
  readonly drill?: string | undefined
  readonly dryRun: boolean
}

/** How a run ended; exactly one of these. */
export type RunStatus = 'succeeded' | 'partial' | 'failed' | 'skipped' | 'aborted'

/** How one target of a run ended. */
export interface TargetOutcome {
  readonly target: Target
  readonly status: 'succeeded' | 'failed' | 'skipped' | 'aborted'
  readonly verification: 'verified' | 'unverified' | 'not-applicable'
  readonly points: readonly RestorePoint[]
  /** Why it was skipped. */
  readonly reason?: string | undefined
  readonly error?: HoldfastFailure | undefined
}

/** How a run ended, as `onError` and `onFinish` see it. */
export interface Outcome {
  readonly status: RunStatus
  /** Why it was skipped, or `empty`. */
  readonly reason?: string | undefined
  readonly targets: readonly TargetOutcome[]
  /** The first error; what came after it is in `warnings`. */
  readonly error?: HoldfastFailure | undefined
  readonly warnings: readonly HoldfastFailure[]
}
