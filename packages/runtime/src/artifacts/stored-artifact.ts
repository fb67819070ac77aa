import type { Artifact } from '@holdfast/sdk'
import type { Manifest } from './manifest.ts'
import type { Acceptance, Verification } from './marks.ts'

/** An artifact as the store knows it. */
export interface StoredArtifact extends Artifact {
  readonly instance: string
  readonly plan: string
  readonly run: string
  /** When its run began: what artifacts are sorted by. `createdAt` is when this one was committed. */
  readonly startedAt: Date
  /** Hex digest of the bytes in the store. */
  readonly storedSha256: string
  /**
   * `suspect`: committed, but its size fell; see `reason`. `invalid`: its last verification found it damaged. A suspect
   * one becomes `valid` when it is accepted.
   */
  readonly state: 'valid' | 'suspect' | 'invalid'
  /** Why it is suspect or invalid, in one line. */
  readonly reason?: string | undefined
  /** Its last verification; `verifiedAt` is set when that succeeded. */
  readonly verification?: Verification | undefined
  /** The third of a new size in a row: later sizes are compared with it, not with older ones. */
  readonly newSize: boolean
  /** Which try of its plan it is of, from 1. */
  readonly attempt: number
  /** Set when it was suspect and is taken as good; later sizes are compared with it, not with older ones. */
  readonly acceptance?: Acceptance | undefined
}

/** What lies beside a manifest. */
export interface Marks {
  readonly verification?: Verification | undefined
  readonly acceptance?: Acceptance | undefined
}

/** Puts a manifest and its marks together. */
export function toStoredArtifact(manifest: Manifest, { verification, acceptance }: Marks): StoredArtifact {
  const { id, instance, plan, target, run, name, size, sha256, storedSize, storedSha256, encoding, meta } = manifest
  return {
    id,
    instance,
    plan,
    target,
    run,
    name,
    size,
    sha256,
    storedSize,
    storedSha256,
    encoding,
    meta,
    startedAt: new Date(manifest.startedAt),
    createdAt: new Date(manifest.createdAt),
    ...stateOf(manifest, { verification, acceptance }),
    verification,
    verifiedAt: verification?.result === 'verified' ? verification.at : undefined,
    newSize: manifest.newSize === true,
    attempt: manifest.attempt ?? 1,
    acceptance,
  }
}

function stateOf(
  { state, reason }: Manifest,
  { verification, acceptance }: Marks,
): { readonly state: StoredArtifact['state']; readonly reason: string | undefined } {
  if (verification?.result === 'damaged') return { state: 'invalid', reason: verification.reason }
  if (state === 'suspect' && !acceptance) return { state: 'suspect', reason }
  return { state: 'valid', reason: undefined }
}
