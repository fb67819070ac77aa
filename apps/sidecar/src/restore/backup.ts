import type { RestorePoint } from '@holdfast/sdk'
import type { FoundPoint } from '../points.ts'
import type { FoundArtifact } from '../stores.ts'

/** What was backed up of one target at one time, and is restored together. */
export interface Backup {
  /** What `holdfast restore` takes: the run that made it, or what the plugin calls it that keeps it. */
  readonly id: string
  /** `undefined`: it is not in the store. */
  readonly instance: string | undefined
  readonly plan: string
  readonly target: string
  /** When the last of it was complete. */
  readonly createdAt: Date
  /** Bytes; `undefined`: not known. */
  readonly size: number | undefined
  readonly state: RestorePoint['state']
  /** Why it is not valid, in one line. */
  readonly reason: string | undefined
  /** When all of it was known to be readable. */
  readonly verifiedAt: Date | undefined
  /** Whoever made it has said that this is all of it; of a run that failed on its way nobody has. */
  readonly isComplete: boolean
  /** In the store: at least one. */
  readonly artifacts: readonly FoundArtifact[]
  /** Elsewhere. */
  readonly point: FoundPoint | undefined
}

/**
 * Puts together what one run made of one target.
 *
 * @param unreadable - keys of manifests that can't be read: what they are about is missing here
 */
export function backupsOf(found: readonly FoundArtifact[], unreadable: readonly string[]): readonly Backup[] {
  const sets = Map.groupBy(found, ({ artifact }) => `${artifact.instance}/${directoryOf(artifact.id)}`)
  return [...sets.values()].map((artifacts) => backupOf(artifacts, unreadable))
}

function backupOf(artifacts: readonly FoundArtifact[], unreadable: readonly string[]): Backup {
  const all = artifacts.map(({ artifact }) => artifact)
  const [first] = all as [FoundArtifact['artifact']]
  const { instance, plan, target, run } = first
  const bad = all.find(({ state }) => state === 'invalid') ?? all.find(({ state }) => state === 'suspect')
  const isIncomplete = unreadable.some((key) => key.includes(`/${directoryOf(first.id)}`))
  const verified = all.flatMap(({ verifiedAt }) => verifiedAt ?? [])
  return {
    id: run,
    instance,
    plan,
    target,
    createdAt: latest(all.map(({ createdAt }) => createdAt)),
    size: all.reduce((sum, { size }) => sum + size, 0),
    state: isIncomplete ? 'incomplete' : (bad?.state ?? 'valid'),
    reason: isIncomplete ? "a manifest of it can't be read" : bad?.reason,
    verifiedAt: verified.length === all.length ? latest(verified) : undefined,
    isComplete: all.every(({ verification }) => verification?.complete),
    artifacts,
    point: undefined,
  }
}

/** The same backup with some of its artifacts only. */
export function partOf(backup: Backup, artifacts: readonly FoundArtifact[]): Backup {
  return { ...backup, artifacts, size: artifacts.reduce((sum, { artifact }) => sum + artifact.size, 0) }
}

/** A restore point that a plugin keeps outside the store. */
export function backupOfPoint(found: FoundPoint): Backup {
  const { plan, point } = found
  const { id, target, createdAt, size, state, verifiedAt } = point
  const where = { instance: undefined, plan: plan.name, target }
  const isComplete = verifiedAt !== undefined
  return {
    id,
    ...where,
    createdAt,
    size,
    state,
    reason: undefined,
    verifiedAt,
    isComplete,
    artifacts: [],
    point: found,
  }
}

/** The part of an artifact's id that all of its backup have in common; ends in `/`. */
export function directoryOf(id: string): string {
  return id.replace(/[^/]*$/, '')
}

function latest(dates: readonly Date[]): Date {
  return new Date(Math.max(...dates.map((date) => date.getTime())))
}
