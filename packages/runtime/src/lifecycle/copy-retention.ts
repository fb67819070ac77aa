import { planRetention } from '../artifacts/retention.ts'
import type { ArtifactStore, StoredArtifact } from '../artifacts/store.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { pointOf, type Expiry } from './builtins.ts'

/** What the plan's retention lets go of a target's artifacts in a copy, newest first. */
export async function findExpiredInCopy(
  { clock }: Pick<Services, 'clock'>,
  plan: ResolvedPlan,
  store: Pick<ArtifactStore, 'list'>,
  target: string,
  signal: AbortSignal,
): Promise<Omit<Expiry, 'points'>> {
  const artifacts: StoredArtifact[] = []
  for await (const artifact of store.list({ plan: plan.name, target, signal })) artifacts.push(artifact)
  return decide(plan, artifacts, clock.now())
}

/** Applies a plan's retention to artifacts. Those of different targets and names are different series. */
export function decide(
  { retention, schedule }: ResolvedPlan,
  artifacts: readonly StoredArtifact[],
  now: Date,
): Omit<Expiry, 'points'> {
  if (!retention) return { expired: [], kept: [] }
  const series = Map.groupBy(artifacts, ({ target, name }) => JSON.stringify([target, name]))
  const decided = [...series.values()].map((each) =>
    planRetention(each.map(pointOf), retention, now, schedule?.timeZone),
  )
  return {
    expired: decided
      .flatMap(({ expire }) => expire.map(({ point }) => point))
      .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime()),
    kept: decided.flatMap(({ keep }) => keep),
  }
}
