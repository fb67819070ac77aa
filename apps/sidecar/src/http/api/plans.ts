import { drillId, errors as runtimeErrors, parseCron, type ResolvedDrill, type ResolvedPlan } from '@holdfast/runtime'
import type { PlanStatus } from '../../daemon/status.ts'
import { partOf, type Part } from './parts.ts'
import { summaryOf, type RunSummary } from './runs.ts'
import type { StatusSource } from './source.ts'

/** What is the matter with a plan, the worst first. `never`: it has not run yet. */
export const planStates = ['failed', 'aborted', 'partial', 'never', 'succeeded'] as const

/** A plan, or a drill. */
export interface PlanView {
  readonly name: string
  /** Of a drill: whose backups it restores. */
  readonly plan?: string | undefined
  /** How its newest run ended. */
  readonly state: (typeof planStates)[number]
  readonly running: boolean
  /** It backs nothing up. */
  readonly maintenance: boolean
  readonly schedule?: { readonly cron: string; readonly timeZone?: string | undefined } | undefined
  /** Who paused it. */
  readonly paused?: 'configuration' | 'hand' | undefined
  /** Since when it is paused by hand. */
  readonly pausedAt?: string | undefined
  readonly pausedAgeMs?: number | undefined
  readonly next?: string | undefined
  /** How long it is until then. */
  readonly nextInMs?: number | undefined
  /** The newest that ended. */
  readonly last?: RunSummary | undefined
  readonly lastSuccessAt?: string | undefined
  readonly lastSuccessAgeMs?: number | undefined
  /** That is longer ago than twice the longest time between two of its slots, and it is not paused: as the alerts see it. */
  readonly tooOld: boolean
  /** Newest first. */
  readonly recent: readonly { readonly id: string; readonly status: RunSummary['status'] }[]
}

/** How many plans there are of each state; and how many of all run, are paused, or have a last success that is too old. */
export type PlanCounts = Readonly<Record<PlanView['state'] | 'running' | 'paused' | 'tooOld', number>>

const recentRuns = 12

/**
 * Plans, those first that need somebody.
 *
 * @param query - `limit`, `offset`
 * @throws HoldfastError `API_PARAMETER`
 */
export function listPlans(
  source: StatusSource,
  query: URLSearchParams,
  usual?: number,
): Part<PlanView> & { readonly counts: PlanCounts } {
  const known = statusOfAll(source)
  const counts = { failed: 0, aborted: 0, partial: 0, never: 0, succeeded: 0, running: 0, paused: 0, tooOld: 0 }
  const states = source.engine.config().plans.map((plan) => {
    const state = stateOf(source, plan.name)
    counts[state]++
    if (known.get(plan.name)?.running) counts.running++
    if (plan.schedule && (plan.schedule.paused || source.pausedSince(plan.name))) counts.paused++
    const isOld = isTooOld(source, plan, known.get(plan.name))
    if (isOld) counts.tooOld++
    return { plan, state, rank: Math.min(planStates.indexOf(state), isOld ? planStates.indexOf('partial') : Infinity) }
  })
  // In the order of the configuration where they are alike: sorting keeps it.
  const { items, ...part } = partOf(
    states.toSorted((a, b) => a.rank - b.rank),
    query,
    usual,
  )
  return { ...part, items: items.map(({ plan }) => planView(source, plan, known.get(plan.name))), counts }
}

/**
 * One plan.
 *
 * @throws HoldfastError `PLAN_UNKNOWN`
 */
export function readPlan(source: StatusSource, name: string): PlanView {
  const { plans } = source.engine.config()
  const found = plans.find((plan) => plan.name === name)
  if (!found) {
    const known = plans.slice(0, 20).map((plan) => plan.name)
    throw runtimeErrors.PLAN_UNKNOWN({ plan: name, known: known.join(', ') || 'none' })
  }
  return planView(source, found, statusOfAll(source).get(name))
}

/**
 * Drills, those first that need somebody.
 *
 * @param query - `limit`, `offset`
 * @throws HoldfastError `API_PARAMETER`
 */
export function listDrills(source: StatusSource, query: URLSearchParams, usual?: number): Part<PlanView> {
  const known = statusOfAll(source)
  const views = source.engine.config().drills.map((drill) => drillView(source, drill, known.get(drillId(drill.name))))
  return partOf(
    views.toSorted((a, b) => planStates.indexOf(a.state) - planStates.indexOf(b.state)),
    query,
    usual,
  )
}

function planView(source: StatusSource, plan: ResolvedPlan, status: KnownStatus | undefined): PlanView {
  const { name, schedule, maintenance } = plan
  const tooOld = isTooOld(source, plan, status)
  const view = { name, maintenance, ...viewOf(source, { plan: name }, status), ...scheduleOf(schedule), tooOld }
  if (schedule?.paused) return { ...view, paused: 'configuration' }
  const since = source.pausedSince(name)
  if (!schedule || !since) return view
  const pausedAgeMs = source.clock.now().getTime() - since.getTime()
  return { ...view, paused: 'hand', pausedAt: since.toISOString(), pausedAgeMs }
}

function drillView(source: StatusSource, drill: ResolvedDrill, status: KnownStatus | undefined): PlanView {
  const { name, schedule, plan } = drill
  const paused = schedule?.paused ? 'configuration' : undefined
  const view = viewOf(source, { drill: name }, status)
  const tooOld = isTooOld(source, { name: drillId(name), schedule, maintenance: false }, status)
  return { name, plan: plan.name, maintenance: false, ...view, ...scheduleOf(schedule), tooOld, paused }
}

interface KnownStatus extends PlanStatus {
  /** Another pod schedules, and has the newer runs. */
  readonly isStandby: boolean
}

/** Worked out once for each expression: it takes a moment, and a thousand plans have few of them. */
const gaps = new Map<string, number>()

function isTooOld(
  { clock, pausedSince }: StatusSource,
  { name, schedule, maintenance }: Pick<ResolvedPlan, 'name' | 'schedule' | 'maintenance'>,
  { lastSuccess, isStandby = false }: Partial<KnownStatus> = {},
): boolean {
  if (!schedule || schedule.paused || maintenance || !lastSuccess || isStandby || pausedSince(name)) return false
  const { cron, timeZone = '' } = schedule
  const key = `${timeZone} ${cron}`
  const gap = gaps.get(key) ?? parseCron(cron, schedule.timeZone).longestGapMs
  gaps.set(key, gap)
  return clock.now().getTime() - lastSuccess.getTime() > 2 * gap
}

function viewOf(
  { engine, clock }: StatusSource,
  whose: { readonly plan: string } | { readonly drill: string },
  status: KnownStatus | undefined,
): Pick<
  PlanView,
  'state' | 'running' | 'next' | 'nextInMs' | 'last' | 'lastSuccessAt' | 'lastSuccessAgeMs' | 'recent'
> {
  const now = clock.now()
  const runs = engine.journal.history.recent(whose, recentRuns).map((run) => summaryOf(run, now))
  const last = runs.find((run) => run.status !== 'running')
  const success = status?.lastSuccess
  return {
    state: planState(last?.status),
    running: status?.running ?? false,
    next: status?.next?.toISOString(),
    nextInMs: status?.next && status.next.getTime() - now.getTime(),
    last,
    lastSuccessAt: success?.toISOString(),
    lastSuccessAgeMs: success && now.getTime() - success.getTime(),
    recent: runs.map((run) => ({ id: run.id, status: run.status })),
  }
}

function stateOf({ engine }: StatusSource, plan: string): PlanView['state'] {
  // Of runs that go on there is one at most.
  const [first, second] = engine.journal.history.recent({ plan }, 2)
  return planState((first?.status === undefined ? second : first)?.status)
}

function planState(status: RunSummary['status'] | undefined): PlanView['state'] {
  return status === undefined || status === 'running' || status === 'skipped' ? 'never' : status
}

function statusOfAll({ status }: StatusSource): ReadonlyMap<string, KnownStatus> {
  const { plans, drills, role } = status.current()
  const isStandby = role === 'standby'
  return new Map([
    ...plans.map((plan) => [plan.name, { ...plan, isStandby }] as const),
    ...drills.map((drill) => [drillId(drill.name), { ...drill, isStandby }] as const),
  ])
}

function scheduleOf(schedule: ResolvedPlan['schedule']): Pick<PlanView, 'schedule'> {
  return schedule ? { schedule: { cron: schedule.cron, timeZone: schedule.timeZone } } : {}
}
