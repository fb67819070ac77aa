import { isHoldfastError, parseDuration, type Plan, type Schedule } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { parseCron } from '../schedule/cron.ts'
import type { ResolveContext } from './context.ts'
import { checkPlanName } from './names.ts'
import { isPlainObject } from './plain-object.ts'
import type { Path, Problems } from './problems.ts'
import { resolveCopies } from './resolve-copies.ts'
import { checkRecipients, resolveEncoding } from './resolve-encoding.ts'
import { resolveRetry } from './resolve-hooks.ts'
import { resolveNotify } from './resolve-notify.ts'
import { resolveParticipant } from './resolve-participant.ts'
import { resolveUse } from './resolve-use.ts'
import type { Participant, ResolvedConfig, ResolvedPlan } from './resolved.ts'
import { warnUnused } from './unused.ts'

/** A plan as it was written. */
export interface PlanDraft {
  readonly name: unknown
  readonly value: unknown
  readonly path: Path
  /** Where its name is. */
  readonly namePath: Path
}

/** What a plan inherits from the top level. */
export type PlanDefaults = Pick<ResolvedPlan, 'encoding' | 'copies' | 'notify'> & Pick<ResolvedConfig, 'storage'>

/**
 * Fills in a plan's defaults and checks what its shape can't say: its name, its schedule, what it uses.
 *
 * @param sound - whether its shape is right; if not, only what can still be checked is, for its problems
 * @returns `undefined` when it is not sound
 */
export async function resolvePlan(
  { name, value, path, namePath }: PlanDraft,
  sound: boolean,
  defaults: PlanDefaults,
  context: ResolveContext,
): Promise<ResolvedPlan | undefined> {
  const { problems } = context
  const draft = isPlainObject(value) ? value : {}
  const wrong = typeof name === 'string' ? checkPlanName('a plan', name) : undefined
  if (wrong) problems.add(wrong, { path: namePath, part: namePath.length === 2 ? 'key' : 'value' })
  checkSchedule(draft['schedule'], [...path, 'schedule'], problems)
  const own = draft['encoding']
  if (isPlainObject(own)) await checkRecipients(own['recipients'], [...path, 'encoding', 'recipients'], problems)
  const copies =
    draft['copies'] === undefined
      ? defaults.copies
      : await resolveCopies(draft['copies'], [...path, 'copies'], defaults.storage, context)

  const notify =
    draft['notify'] === undefined ? defaults.notify : await resolveNotify(draft['notify'], [...path, 'notify'], context)

  const planName = typeof name === 'string' ? name : '?'
  const use = Array.isArray(draft['use']) ? (draft['use'] as readonly unknown[]) : []
  const before = problems.problems.length
  const participants = await resolveAll(planName, use, [...path, 'use'], context)
  const complete = problems.problems.length === before
  if (complete && use.length > 0 && !participants.some(({ hooks }) => hooks.backups ?? hooks.maintain)) {
    problems.add(errors.PLAN_EMPTY({ plan: planName }), { path })
  }
  if (!sound || !complete) return undefined

  const plan = draft as unknown as Plan
  const resolved: ResolvedPlan = {
    name: planName,
    schedule: plan.schedule,
    participants,
    concurrency: plan.concurrency ?? 1,
    budgetMs: parseDuration(plan.budget ?? '24h'),
    retry: resolveRetry(plan.retry),
    retention: plan.retention,
    allowEmpty: plan.allowEmpty ?? false,
    encoding: resolveEncoding(plan.encoding, defaults.encoding),
    copies,
    notify,
    maintenance: !participants.some(({ hooks }) => hooks.backups),
  }
  warnUnused(resolved, plan, path, problems)
  return resolved
}

// Those that can be used; the others are among the problems.
async function resolveAll(
  plan: string,
  use: readonly unknown[],
  path: Path,
  context: ResolveContext,
): Promise<readonly Participant[]> {
  const participants = new Map<string, Participant>()
  for (const [index, item] of use.entries()) {
    const used = await resolveUse(item, [...path, index], context)
    const participant = used && (await resolveParticipant(used, context.problems))
    if (participant === undefined) continue
    const { id: name, source = '' } = participant
    const first = participants.get(name)
    if (first === undefined) participants.set(name, participant)
    else {
      const params = { name, plan, first: first.source ?? '', second: source }
      context.problems.add(errors.PARTICIPANT_DUPLICATE(params), { path: [...path, index] })
    }
  }
  return [...participants.values()]
}

/** Whether a schedule can be kept; why not is among the problems. */
export function checkSchedule(schedule: unknown, path: Path, problems: Pick<Problems, 'add'>): void {
  const { cron, timeZone } = (isPlainObject(schedule) ? schedule : {}) as Partial<Schedule>
  if (typeof cron !== 'string' || (timeZone !== undefined && typeof timeZone !== 'string')) return
  try {
    parseCron(cron, timeZone)
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    problems.add(error, { path: [...path, error.code === errors.TIME_ZONE_UNKNOWN.code ? 'timeZone' : 'cron'] })
  }
}
