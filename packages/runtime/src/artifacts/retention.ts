import type { RestorePoint, Retention } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { parseArtifactId } from './keys.ts'
import { bucketIndex, createLocalTime, type Category, type LocalTime } from './local-time.ts'

/** Categories in the order in which they are asked. */
const categories = ['hours', 'days', 'weeks', 'months', 'years'] as const satisfies readonly Category[]
const rules = ['latest', ...categories] as const

/** Why a point stays. */
export type KeepRule =
  | 'latest'
  | Category
  /** The newest point that is proven readable, whatever the rules say. */
  | 'newest-verified'
  /** No point of the target is verified: nothing is let go. */
  | 'nothing-verified'
  /** Not valid: not for rules to judge. */
  | 'suspect'
  | 'invalid'
  | 'incomplete'
  /** Dated after now: the clock was, or is, wrong. */
  | 'future'
  /** Its date can't be read. */
  | 'undated'
  /** A drill is restoring it. */
  | 'drill'
  /** There are no rules. */
  | 'no-rules'

/** A point that stays. */
export interface KeptPoint {
  readonly point: RestorePoint
  readonly rule: KeepRule
  /** For a category: how many hours, days, … ago; 0 is the current one. */
  readonly index?: number | undefined
}

/** A point that the rules let go. */
export interface ExpiredPoint {
  readonly point: RestorePoint
  /** `superseded`: an older one of the same hour, day, … stays. `too-old`: no category reaches back so far. */
  readonly rule: 'superseded' | 'too-old'
  /** The category in which it was superseded. */
  readonly category?: Category | undefined
}

/** What a retention does to points; every point is in one of the lists. */
export interface RetentionPlan {
  readonly keep: readonly KeptPoint[]
  readonly expire: readonly ExpiredPoint[]
}

/**
 * Decides which restore points stay. Points of one series: those of one target, and one artifact name. Several targets
 * are judged each for itself.
 *
 * Benji's rules: the `latest` newest stay. Each other point belongs to the first category (hours, days, weeks, months,
 * years) that reaches back to it, and of each hour, day, … only the oldest stays. `days: 3` reaches back three days from
 * today: four days in all. What no category reaches is let go.
 *
 * And Holdfast's: an artifact is as old as its run, so that what one run has stored of a target goes together; only valid
 * points are judged and counted; those dated in the future stay and take nobody's place; the newest verified one stays in any
 * case; and nothing is let go while none is verified.
 *
 * @param points - in any order
 * @param retention - without any rule nothing is let go
 * @param now - what ages are counted from
 * @param timeZone - IANA name, for where days begin. Default: the process's
 */
export function planRetention(
  points: readonly RestorePoint[],
  retention: Retention,
  now: Date,
  timeZone?: string,
): RetentionPlan {
  const keep: KeptPoint[] = []
  const expire: ExpiredPoint[] = []
  const local = createLocalTime(timeZone)
  for (const group of Map.groupBy(points, ({ target }) => target).values()) {
    const plan = planTarget(group, retention, now, local)
    keep.push(...plan.keep)
    expire.push(...plan.expire)
  }
  return { keep, expire }
}

function planTarget(points: readonly RestorePoint[], retention: Retention, now: Date, local: LocalTime): RetentionPlan {
  const judged: RestorePoint[] = []
  const keep: KeptPoint[] = []
  for (const point of points) {
    const rule = exemption(point, now)
    if (rule) keep.push({ point, rule })
    else judged.push(point)
  }
  judged.sort((a, b) => dateOf(b).getTime() - dateOf(a).getTime() || (a.id < b.id ? 1 : -1))
  const newestVerified = judged.find(({ verifiedAt }) => verifiedAt !== undefined)
  const blocked = rules.every((rule) => retention[rule] === undefined)
    ? 'no-rules'
    : newestVerified
      ? undefined
      : 'nothing-verified'
  if (blocked) return { keep: [...keep, ...judged.map((point) => ({ point, rule: blocked }) as const)], expire: [] }

  const latest = retention.latest ?? 0
  keep.push(...judged.slice(0, latest).map((point) => ({ point, rule: 'latest' }) as const))
  const expire: ExpiredPoint[] = []
  const taken = new Set<string>()
  const present = local(now)
  // Oldest first: the first of a bucket is the one that stays.
  for (const point of judged.slice(latest).toReversed()) {
    const age = local(dateOf(point))
    const bucket = categories
      .map((category) => ({ category, index: bucketIndex(category, age, present) }))
      .find(({ category, index }) => index <= (retention[category] ?? -1))
    const name = bucket && `${bucket.category} ${bucket.index}`
    if (bucket && name && !taken.has(name)) {
      taken.add(name)
      keep.push({ point, rule: bucket.category, index: bucket.index })
    } else if (point === newestVerified) keep.push({ point, rule: 'newest-verified' })
    else expire.push({ point, rule: bucket ? 'superseded' : 'too-old', category: bucket?.category })
  }
  return { keep, expire }
}

/** When the run of an artifact began; for other points when they were made. */
function dateOf({ id, createdAt }: RestorePoint): Date {
  return parseArtifactId(id)?.startedAt ?? createdAt
}

function exemption(point: RestorePoint, now: Date): KeepRule | undefined {
  const { state, createdAt } = point
  if (state !== 'valid') return state
  if (Number.isNaN(createdAt.getTime())) return 'undated'
  return createdAt > now || dateOf(point) > now ? 'future' : undefined
}

/** Why points stay, in a few words: `latest 3, days 12, newest-verified 1`. */
export function describeKept(kept: readonly Pick<KeptPoint, 'rule'>[]): string {
  const byRule = Map.groupBy(kept, ({ rule }) => rule)
  const order = (rule: KeepRule): number => (rules as readonly string[]).indexOf(rule) >>> 0
  return [...byRule.keys()]
    .toSorted((a, b) => order(a) - order(b))
    .map((rule) => `${rule} ${byRule.get(rule)?.length}`)
    .join(', ')
}

/**
 * Reads rules as Benji's `enforce` takes them: each at most once, without blanks.
 *
 * @throws HoldfastError `RETENTION_INVALID`
 * @example
 * ```ts
 * parseRetention('latest3,days14,months6') // { latest: 3, days: 14, months: 6 }
 * ```
 */
export function parseRetention(text: string): Retention {
  const retention: { -readonly [Rule in keyof Retention]: Retention[Rule] } = {}
  for (const element of text.split(',')) {
    const invalid = (reason: string): Error => errors.RETENTION_INVALID({ rules: text, reason })
    const [, rule = '', count = ''] = /^([a-z]+)(\d+)$/.exec(element) ?? []
    if (rule === '') throw invalid(`"${element}" is not a rule and a number`)
    if (!isRule(rule)) throw invalid(`"${rule}" is not a rule`)
    if (retention[rule] !== undefined) throw invalid(`"${rule}" is there twice`)
    if (Number(count) < 1 || !Number.isSafeInteger(Number(count))) throw invalid(`"${element}" keeps nothing`)
    retention[rule] = Number(count)
  }
  return retention
}

function isRule(text: string): text is (typeof rules)[number] {
  return (rules as readonly string[]).includes(text)
}

/** Rules as text, in the order `latest`, `hours`, …: what {@link parseRetention} reads. */
export function formatRetention(retention: Retention): string {
  return rules.flatMap((rule) => (retention[rule] === undefined ? [] : [`${rule}${retention[rule]}`])).join(',')
}
