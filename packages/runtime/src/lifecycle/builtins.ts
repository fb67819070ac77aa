// The engine's own part of a run, as a participant like any other: default verification, which always runs first, and
// the removal of expired artifacts.
import type { RestorePoint, Target } from '@holdfast/sdk'
import { planRetention, type KeptPoint } from '../artifacts/retention.ts'
import type { StoredArtifact, VerifiedArtifact } from '../artifacts/store.ts'
import { heldPoints } from '../drill/held-points.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import type { TargetState } from './outcome.ts'

/** What was read back of targets whose own verification has not come to its end. */
const unconfirmed = new WeakMap<TargetState, readonly VerifiedArtifact[]>()

/** Re-reads a target's new artifacts from the store against their digests. */
export async function verifyArtifacts(services: Services, state: TargetState, signal: AbortSignal): Promise<void> {
  const verified: VerifiedArtifact[] = []
  for (const [index, point] of state.points.entries()) {
    const id = artifactOf(point)
    if (id === undefined) continue
    const artifact = await services.store().verify(id, { signal, mark: false })
    verified.push(artifact)
    state.points[index] = { ...point, verifiedAt: artifact.verifiedAt }
  }
  unconfirmed.set(state, verified)
}

/**
 * Writes down beside a target's new artifacts that they are verified, once nothing has spoken against them: what is refused by
 * a plugin is not what somebody in a hurry should restore.
 */
export async function confirmArtifacts(services: Services, state: TargetState, signal: AbortSignal): Promise<void> {
  for (const artifact of unconfirmed.get(state) ?? []) await services.store().confirm(artifact, { signal })
  unconfirmed.delete(state)
}

/** The artifact behind a restore point; `undefined` for points outside the store. */
export function artifactOf(point: RestorePoint): string | undefined {
  const ref = point.ref as { readonly artifact?: unknown } | null | undefined
  return typeof ref === 'object' && typeof ref?.artifact === 'string' ? ref.artifact : undefined
}

/** A stored artifact as a restore point. */
export function pointOf(artifact: StoredArtifact): RestorePoint {
  return {
    id: artifact.id,
    target: artifact.target,
    createdAt: artifact.createdAt,
    size: artifact.size,
    mode: 'full',
    state: artifact.state,
    verifiedAt: artifact.verifiedAt,
    ref: { artifact: artifact.id, name: artifact.name, sha256: artifact.sha256 },
  }
}

/** All restore points of a target, and those that the plan's retention lets go. */
export interface Expiry {
  readonly points: readonly RestorePoint[]
  readonly expired: readonly RestorePoint[]
  /** Why the others stay; empty where there are no rules. */
  readonly kept: readonly KeptPoint[]
}

/**
 * Applies a plan's retention to a target. Artifacts of different names are different series: three dumps and three
 * tarballs are three restore points of each, not six of one thing.
 */
export async function findExpired(
  services: Services,
  plan: ResolvedPlan,
  target: Target,
  external: AsyncIterable<RestorePoint> | readonly RestorePoint[],
): Promise<Expiry> {
  const series = new Map<string, RestorePoint[]>()
  const add = (name: string, point: RestorePoint): void => {
    const points = series.get(name)
    if (points) points.push(point)
    else series.set(name, [point])
  }
  for await (const artifact of services.store().list({ plan: plan.name, target: target.id })) {
    add(`artifact ${artifact.name}`, pointOf(artifact))
  }
  for await (const point of external) add('external', point)
  const newestFirst = (a: RestorePoint, b: RestorePoint): number => b.createdAt.getTime() - a.createdAt.getTime()
  const points = [...series.values()].flat().toSorted(newestFirst)
  const { retention } = plan
  if (!retention) return { points, expired: [], kept: [] }
  const now = services.clock.now()
  const zone = plan.schedule?.timeZone
  const decided = [...series.values()].map((each) => planRetention(each, retention, now, zone))
  const expired = decided.flatMap(({ expire }) => expire.map(({ point }) => point))
  // What a drill is reading stays until the next run.
  const held = heldPoints(services)
  const reading = expired.filter(({ id }) => held.has(id)).map((point): KeptPoint => ({ point, rule: 'drill' }))
  return {
    points,
    expired: expired.filter(({ id }) => !held.has(id)).toSorted(newestFirst),
    kept: [...decided.flatMap(({ keep }) => keep), ...reading],
  }
}

/** Removes the artifacts among expired points from the store. */
export async function removeExpired(
  services: Services,
  expired: readonly RestorePoint[],
  signal: AbortSignal,
): Promise<void> {
  for (const point of expired) {
    const id = artifactOf(point)
    if (id === undefined) continue
    signal.throwIfAborted()
    await services.store().remove(id, { signal })
    services.meter
      .counter('holdfast_retention_deleted_total', 'Restore points removed by retention', ['reason'])
      .add(1, {
        reason: 'expired',
      })
  }
}
