import type { HoldfastError, RestorePoint } from '@holdfast/sdk'
import { parseObjectKey } from '../artifacts/keys.ts'
import type { StoredArtifact } from '../artifacts/store.ts'
import { pointOf } from '../lifecycle/builtins.ts'
import { listExternalPoints } from '../lifecycle/inspect.ts'
import type { Participant, ResolvedDrill, ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import type { Backup } from './choose-backup.ts'

/** A backup, and who restores it. */
export interface FoundBackup extends Backup {
  /** `undefined`: nobody, so it becomes files. */
  readonly restorer: Participant | undefined
}

/**
 * Everything that a drill could restore: what is in the store, and what plugins of its plan keep elsewhere. What a run that
 * goes on has made so far is none.
 *
 * @throws HoldfastError `STORAGE_…`, or what a plugin threw
 */
export async function findBackups(
  services: Services,
  drill: Pick<ResolvedDrill, 'plan' | 'target' | 'bytes'>,
  signal: AbortSignal,
): Promise<readonly FoundBackup[]> {
  return [...(await storedBackups(services, drill, signal)), ...(await backupsElsewhere(services, drill, signal))]
}

/** The one participant of a plan that knows how to restore what is in the store of a target; `undefined`: nobody does. */
export function restorerFor({ participants }: ResolvedPlan, target: string): Participant | undefined {
  const owner = participants.find(({ id, hooks }) => id === target && hooks.backups)
  if (owner) return owner.restore ? owner : undefined
  const candidates = participants.filter(({ restore, hooks }) => restore && hooks.backups)
  return candidates.length === 1 ? candidates[0] : undefined
}

interface Made {
  readonly target: string
  readonly at: Date
  readonly artifacts: StoredArtifact[]
  damage: string | undefined
}

async function storedBackups(
  services: Services,
  { plan, target, bytes }: Pick<ResolvedDrill, 'plan' | 'target' | 'bytes'>,
  signal: AbortSignal,
): Promise<readonly FoundBackup[]> {
  const store = services.store()
  const made = new Map<string, Made>()
  const of = (at: { readonly target: string; readonly run: string; readonly startedAt: Date }): Made => {
    const key = JSON.stringify([at.target, at.run])
    const known = made.get(key) ?? { target: at.target, at: at.startedAt, artifacts: [], damage: undefined }
    made.set(key, known)
    return known
  }
  const goingOn = new Set(services.journal.openRuns().flatMap(({ id, endedAt }) => (endedAt ? [] : [id])))
  const onProblem = (problem: HoldfastError): void => {
    const { key } = problem.details
    const location = typeof key === 'string' ? parseObjectKey(store.instance, key)?.location : undefined
    // A run whose only manifest can't be read has made a backup, too: one that nobody can restore.
    if (location && !goingOn.has(location.run)) of(location).damage ??= problem.message
  }
  for await (const artifact of store.list({ plan: plan.name, target, signal, onProblem })) {
    if (goingOn.has(artifact.run)) continue
    const backup = of(artifact)
    backup.artifacts.push(artifact)
    if (artifact.state === 'invalid') backup.damage ??= artifact.reason ?? `${artifact.id} is damaged`
  }
  return [...made.values()].map(({ artifacts, ...backup }) => ({
    ...backup,
    points: artifacts.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(pointOf),
    isVerified: artifacts.length > 0 && artifacts.every(({ verifiedAt }) => verifiedAt !== undefined),
    isComplete: artifacts.length > 0 && artifacts.every(({ verification }) => verification?.complete),
    restorer: bytes ? undefined : restorerFor(plan, backup.target),
  }))
}

async function backupsElsewhere(
  services: Services,
  { plan, target }: Pick<ResolvedDrill, 'plan' | 'target'>,
  signal: AbortSignal,
): Promise<readonly FoundBackup[]> {
  const found: FoundBackup[] = []
  for (const restorer of plan.participants) {
    // Several plans may keep points in the same place: this one's are meant.
    const filter = { ...(target !== undefined && { target }), forRetention: true }
    for (const point of await listExternalPoints(services, plan, restorer, filter, signal)) {
      // What is incomplete is being made, or was never finished.
      if (point.state !== 'incomplete') found.push(elsewhere(point, restorer))
    }
  }
  return found
}

function elsewhere(point: RestorePoint, restorer: Participant): FoundBackup {
  const { target, createdAt, verifiedAt, state } = point
  const damage = state === 'invalid' ? `"${restorer.id}" says that it is invalid` : undefined
  const isVerified = verifiedAt !== undefined
  return { target, points: [point], at: createdAt, isVerified, isComplete: isVerified, damage, restorer }
}
