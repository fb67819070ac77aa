import type { HoldfastError, RestorePoint } from '@holdfast/sdk'
import { findLack } from '../artifacts/copy-lack.ts'
import type { KeptPoint } from '../artifacts/retention.ts'
import type { StoredArtifact } from '../artifacts/store.ts'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { decide } from './copy-retention.ts'
import { openCopy } from './copy-store.ts'

/** How a copy of a plan's artifacts stands. */
export interface InspectedCopy {
  readonly name: string
  /** Newest first. */
  readonly artifacts: readonly StoredArtifact[]
  /** What a run would copy, beside what it backs up itself. */
  readonly lacks: readonly StoredArtifact[]
  /** What the plan's retention would let go there, by the copy's own list. */
  readonly expired: readonly RestorePoint[]
  readonly kept: readonly KeptPoint[]
  /** Why the copy can't be looked at. */
  readonly error?: HoldfastError | undefined
}

/**
 * Looks at the copies of a plan, and changes nothing.
 *
 * @throws the signal's reason
 */
export async function inspectCopies(
  services: Services,
  plan: ResolvedPlan,
  signal: AbortSignal,
): Promise<readonly InspectedCopy[]> {
  const { log, clock } = services
  return Promise.all(
    plan.copies.map(async (copy): Promise<InspectedCopy> => {
      const { store, options } = openCopy(services, copy)
      const { from, to, instance } = options
      const artifacts: StoredArtifact[] = []
      try {
        for await (const artifact of store.list({ plan: plan.name, signal })) artifacts.push(artifact)
        const { missing } = await findLack({
          from: { driver: from, instance, log },
          to: { driver: to, instance, log },
          plan: plan.name,
          expire: (all) => decide(plan, all, clock.now()).expired,
          signal,
        })
        const lacks = missing.map(({ artifact }) => artifact)
        return { name: copy.name, artifacts, lacks, ...decide(plan, artifacts, clock.now()) }
      } catch (error) {
        signal.throwIfAborted()
        const unreachable = errors.COPY_UNREACHABLE({ copy: copy.name, reason: reasonOf(error) }, { cause: error })
        return { name: copy.name, artifacts: [], lacks: [], expired: [], kept: [], error: unreachable }
      }
    }),
  )
}
