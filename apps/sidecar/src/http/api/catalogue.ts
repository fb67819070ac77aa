// What is in the store, as it was some time ago: reading it may take minutes, and nobody who asks for a page waits for it.
import { toFailure, type StoredArtifact } from '@holdfast/runtime'
import type { HoldfastError, RestorePoint } from '@holdfast/sdk'
import type { StatusSource } from './source.ts'

/** What one run made of one target, or what a plugin keeps elsewhere. */
export interface CataloguePoint {
  readonly kind: 'artifacts' | 'point'
  readonly plan: string
  readonly target: string
  /** What `holdfast restore` takes. */
  readonly id: string
  readonly run: string
  readonly createdAt: Date
  readonly size: number | undefined
  readonly state: RestorePoint['state']
  readonly reason: string | undefined
  /** When all of it was known to be readable. */
  readonly verifiedAt: Date | undefined
  readonly artifacts: number
}

/** A target that has restore points. */
export interface CatalogueTarget {
  readonly plan: string
  readonly target: string
  /** Newest first; at most {@link mostPoints} of them. */
  readonly points: readonly CataloguePoint[]
  /** Of all of them. */
  readonly count: number
}

/** What was read last. */
export interface CatalogueView {
  /** `undefined`: it has not been read yet. */
  readonly readAt: Date | undefined
  readonly reading: boolean
  /** Why it could not be read the last time. */
  readonly error: HoldfastError | undefined
  readonly targets: readonly CatalogueTarget[]
}

/** The store's catalogue, read now and then while somebody is interested. */
export interface Catalogue {
  /** Never waits for longer than a moment. */
  view(): Promise<CatalogueView>
  close(): void
}

/** Of each target so many are kept in memory. */
export const mostPoints = 60
/** Targets beyond these are left out. */
const mostTargets = 5000
/** It is read again when it is older, and when reading has been at rest for ten times as long as it took. */
const freshMs = 30_000
const restFactor = 10
/** A small store is read while its reader waits. */
const momentMs = 250
/** Whatever it does, reading ends then. */
const deadlineMs = 10 * 60_000
/** Nobody has asked for so long: memory is given back. */
const forgetMs = 10 * 60_000

/** Nothing is read before somebody asks. */
export function createCatalogue({ engine, clock, log }: Omit<StatusSource, 'status' | 'version'>): Catalogue {
  let kept: Omit<CatalogueView, 'reading'> = { readAt: undefined, error: undefined, targets: [] }
  let reading: Promise<void> | undefined
  let restUntil = -Infinity
  let cancelForget: (() => void) | undefined
  const stop = new AbortController()

  const read = async (): Promise<void> => {
    const began = clock.monotonic()
    const late = new AbortController()
    const cancel = clock.setTimer(deadlineMs, () =>
      late.abort(new Error('reading the store took more than 10 minutes')),
    )
    try {
      const targets = await collect(engine, AbortSignal.any([stop.signal, late.signal]))
      kept = { readAt: clock.now(), error: undefined, targets }
    } catch (error) {
      if (stop.signal.aborted) return
      const failure = toFailure(error, {})
      log.warn(`the store could not be read for the status page: ${failure.message}`, { error: failure })
      kept = { ...kept, error: failure }
    } finally {
      cancel()
      const took = clock.monotonic() - began
      restUntil = clock.monotonic() + Math.max(freshMs, took * restFactor)
    }
  }

  return {
    async view() {
      cancelForget?.()
      cancelForget = clock.setTimer(forgetMs, () => {
        kept = { readAt: undefined, error: undefined, targets: [] }
        restUntil = -Infinity
      })
      if (!reading && clock.monotonic() >= restUntil && !stop.signal.aborted) {
        reading = read().finally(() => {
          reading = undefined
        })
      }
      if (reading) {
        const enough = Promise.withResolvers<void>()
        const cancel = clock.setTimer(momentMs, enough.resolve)
        await Promise.race([reading, enough.promise])
        cancel()
      }
      return { ...kept, reading: reading !== undefined }
    },
    close() {
      cancelForget?.()
      stop.abort(new Error('the daemon stops'))
    },
  }
}

interface Gathered {
  readonly plan: string
  readonly target: string
  readonly points: CataloguePoint[]
  count: number
  lastRun: string | undefined
}

async function collect(
  { store, journal }: Pick<StatusSource['engine'], 'store' | 'journal'>,
  signal: AbortSignal,
): Promise<readonly CatalogueTarget[]> {
  const found = new Map<string, Gathered>()
  const of = (plan: string, target: string): Gathered | undefined => {
    const key = JSON.stringify([plan, target])
    const known = found.get(key)
    if (known || found.size >= mostTargets) return known
    const fresh: Gathered = { plan, target, points: [], count: 0, lastRun: undefined }
    found.set(key, fresh)
    return fresh
  }
  for await (const artifact of store().list({ signal })) {
    const { plan, target, run } = artifact
    const gathered = of(plan, target)
    if (!gathered) continue
    const last = gathered.points.at(-1)
    // What a run made of a target comes one after the other.
    if (last?.run === run) gathered.points[gathered.points.length - 1] = together(last, artifact)
    else if (gathered.points.length < mostPoints) gathered.points.push(pointOf(artifact))
    if (gathered.lastRun !== run) gathered.count++
    gathered.lastRun = run
  }
  for (const { plan, target, id, run, createdAt, size, state, verifiedAt } of journal.history.externalPoints(
    mostPoints,
  )) {
    const gathered = of(plan, target)
    if (!gathered) continue
    gathered.points.push({
      kind: 'point',
      plan,
      target,
      id,
      run,
      createdAt,
      size,
      state,
      reason: undefined,
      verifiedAt,
      artifacts: 0,
    })
    gathered.count++
  }
  return [...found.values()]
    .map(({ plan, target, count, points }) => ({
      plan,
      target,
      count,
      points: points.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime()).slice(0, mostPoints),
    }))
    .toSorted((a, b) => compare(a.plan, b.plan) || compare(a.target, b.target))
}

function pointOf({ plan, target, run, createdAt, size, state, reason, verifiedAt }: StoredArtifact): CataloguePoint {
  return { kind: 'artifacts', plan, target, id: run, run, createdAt, size, state, reason, verifiedAt, artifacts: 1 }
}

function together(point: CataloguePoint, artifact: StoredArtifact): CataloguePoint {
  const { createdAt, size, state, reason, verifiedAt } = artifact
  const isWorse = severity[state] > severity[point.state]
  return {
    ...point,
    createdAt: createdAt > point.createdAt ? createdAt : point.createdAt,
    size: (point.size ?? 0) + size,
    ...(isWorse && { state, reason }),
    // All of it, or it doesn't count.
    verifiedAt: point.verifiedAt && verifiedAt && (verifiedAt > point.verifiedAt ? verifiedAt : point.verifiedAt),
    artifacts: point.artifacts + 1,
  }
}

const severity: Readonly<Record<CataloguePoint['state'], number>> = { valid: 0, suspect: 1, invalid: 2, incomplete: 2 }

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
