import type { Catalogue, CataloguePoint, CatalogueView } from './catalogue.ts'
import { partOf, type Part } from './parts.ts'
import { failureView, type FailureView } from './runs.ts'
import type { StatusSource } from './source.ts'

/** How old what is said about the store is. */
export interface StoreAge {
  /** When it was read; `undefined`: not yet. */
  readonly readAt?: string | undefined
  readonly readAgeMs?: number | undefined
  /** It is being read. */
  readonly reading: boolean
  /** Why it could not be read the last time. */
  readonly error?: FailureView | undefined
}

/** A restore point. */
export interface PointView extends Omit<CataloguePoint, 'createdAt' | 'verifiedAt'> {
  readonly createdAt: string
  readonly ageMs: number
  readonly verifiedAt?: string | undefined
  readonly verifiedAgeMs?: number | undefined
}

/** A target that has restore points, and how large they were. */
export interface TargetView {
  readonly plan: string
  readonly target: string
  /** How many restore points it has. */
  readonly count: number
  readonly newest: PointView
  /** When any of those that are listed was last known to be readable. */
  readonly verifiedAt?: string | undefined
  readonly verifiedAgeMs?: number | undefined
  /** Oldest first, the newest last; bytes before encoding. */
  readonly sizes: readonly { readonly at: string; readonly size: number }[]
}

const mostSizes = 30

/**
 * Targets with the history of their sizes.
 *
 * @param query - `plan`, `limit`, `offset`
 * @throws HoldfastError `API_PARAMETER`
 */
export async function listTargets(
  { clock }: StatusSource,
  catalogue: Catalogue,
  query: URLSearchParams,
  usual?: number,
): Promise<Part<TargetView> & { readonly store: StoreAge }> {
  const view = await catalogue.view()
  const now = clock.now()
  const plan = query.get('plan')
  const targets = view.targets.filter((target) => plan === null || target.plan === plan)
  const { items, ...part } = partOf(targets, query, usual)
  return {
    ...part,
    items: items.flatMap(({ points, ...target }) => {
      const [newest] = points
      if (!newest) return []
      const verified = points.flatMap(({ verifiedAt }) => verifiedAt?.getTime() ?? [])
      const at = verified.length > 0 ? new Date(Math.max(...verified)) : undefined
      return [{ ...target, newest: pointView(newest, now), ...verification(at, now), sizes: sizesOf(points) }]
    }),
    store: ageOf(view, now),
  }
}

/**
 * Restore points, newest first.
 *
 * @param query - `plan`, `target`, `limit`, `offset`
 * @throws HoldfastError `API_PARAMETER`
 */
export async function listPoints(
  { clock }: StatusSource,
  catalogue: Catalogue,
  query: URLSearchParams,
  usual?: number,
): Promise<Part<PointView> & { readonly store: StoreAge }> {
  const view = await catalogue.view()
  const now = clock.now()
  const [plan, target] = [query.get('plan'), query.get('target')]
  const points = view.targets
    .filter((each) => (plan === null || each.plan === plan) && (target === null || each.target === target))
    .flatMap((each) => each.points)
    .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
  const { items, ...part } = partOf(points, query, usual)
  return { ...part, items: items.map((point) => pointView(point, now)), store: ageOf(view, now) }
}

function pointView({ createdAt, verifiedAt, ...point }: CataloguePoint, now: Date): PointView {
  const ageMs = now.getTime() - createdAt.getTime()
  return { ...point, createdAt: createdAt.toISOString(), ageMs, ...verification(verifiedAt, now) }
}

function verification(at: Date | undefined, now: Date): Pick<PointView, 'verifiedAt' | 'verifiedAgeMs'> {
  return at ? { verifiedAt: at.toISOString(), verifiedAgeMs: now.getTime() - at.getTime() } : {}
}

function sizesOf(points: readonly CataloguePoint[]): TargetView['sizes'] {
  return points
    .slice(0, mostSizes)
    .toReversed()
    .flatMap(({ createdAt, size }) => (size === undefined ? [] : [{ at: createdAt.toISOString(), size }]))
}

function ageOf({ readAt, reading, error }: CatalogueView, now: Date): StoreAge {
  return {
    readAt: readAt?.toISOString(),
    readAgeMs: readAt && now.getTime() - readAt.getTime(),
    reading,
    error: error && failureView(error),
  }
}
