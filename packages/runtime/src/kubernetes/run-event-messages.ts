// What Events say: one line for whoever reads `kubectl describe`, with the code and what to do.
import type { HoldfastFailure, ObjectRef, Outcome, Run, TargetOutcome } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { RunEvent } from '../lifecycle/events.ts'

/** What an Event says, and about what. */
export interface EventDraft<About = ObjectRef | undefined> {
  /** `undefined`: our own pod. */
  readonly about: About
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** An Event that can be posted. */
export interface AddressedEvent extends EventDraft<ObjectRef> {
  readonly labels: Record<string, string>
}

type Failure = Pick<HoldfastFailure, 'code' | 'message' | 'hint'>

const endings = {
  succeeded: { suffix: 'Succeeded', verb: 'succeeded' },
  partial: { suffix: 'PartiallyFailed', verb: 'failed in part' },
  failed: { suffix: 'Failed', verb: 'failed' },
  skipped: { suffix: 'Skipped', verb: 'was skipped' },
  aborted: { suffix: 'Aborted', verb: 'was aborted' },
} as const

/** Reasons for which a slot is left out as it was meant to be. */
const intended: ReadonlySet<string | undefined> = new Set(['paused', 'dst_gap', 'store-owned'])

/** A run that begins. Of boots only failures are of interest. */
export function startDraft(run: Run, isMaintenance: boolean): readonly EventDraft[] {
  const { prefix, what } = subjectOf(run, isMaintenance)
  if (run.trigger === 'boot') return []
  const attempt = run.attempt > 1 ? `, attempt ${run.attempt}` : ''
  const message = `${what} begins (${run.trigger}${attempt})`
  return [{ about: undefined, type: 'Normal', reason: `${prefix}Started`, message }]
}

/** A run that has ended. */
export function endDraft(run: Run, outcome: Outcome, isMaintenance: boolean): readonly EventDraft[] {
  const { status, reason, error } = outcome
  if (run.trigger === 'boot' && status === 'succeeded') return []
  const { prefix, what } = subjectOf(run, isMaintenance)
  const { suffix, verb } = endings[status]
  const isFine = status === 'succeeded' || (status === 'skipped' && intended.has(reason))
  const because = reason === undefined ? '' : ` (${reason})`
  return [
    {
      about: undefined,
      type: isFine ? 'Normal' : 'Warning',
      reason: prefix + suffix,
      message: `${what} ${verb}${because}${countOf(outcome)}${causeOf(error)}`,
    },
  ]
}

/** A target that has been backed up, or not. */
export function targetDraft({ plan }: Run, outcome: TargetOutcome): readonly EventDraft[] {
  const { target, status, reason, error } = outcome
  if (!target.object) return []
  const { suffix } = endings[status]
  const isFine = status === 'succeeded' || status === 'skipped'
  const what = {
    succeeded: `was backed up by plan "${plan}"`,
    failed: `could not be backed up by plan "${plan}"`,
    skipped: `was left out by plan "${plan}"`,
    aborted: `was not backed up: plan "${plan}" was aborted`,
  }[status]
  const because = reason === undefined ? '' : ` (${reason})`
  return [
    {
      about: target.object,
      type: isFine ? 'Normal' : 'Warning',
      reason: `Backup${suffix}`,
      message: `"${target.id}" ${what}${because}${causeOf(error)}`,
    },
  ]
}

/** What became known of a target only after it had been backed up. */
export function laterDraft({ plan }: Run, { target, status, ...outcome }: TargetOutcome): readonly EventDraft[] {
  const about = target.object
  if (!about || status !== 'succeeded') return []
  const drafts: EventDraft[] = []
  if (outcome.verification === 'unverified') {
    const message = `the backup of "${target.id}" by plan "${plan}" could not be verified${causeOf(outcome.error)}`
    drafts.push({ about, type: 'Warning', reason: 'BackupUnverified', message })
  }
  if (outcome.points.some(({ state }) => state === 'suspect')) {
    const { code, message, hint } = errors.TARGET_SUSPECT({ target: target.id })
    const text = `plan "${plan}"${causeOf({ code, message, hint })}`
    drafts.push({ about, type: 'Warning', reason: 'BackupSuspect', message: text })
  }
  return drafts
}

/** An undo that could not be run, or that another process had to run. */
export function undoDraft(event: Extract<RunEvent, { type: 'undo-settled' }>): readonly EventDraft[] {
  const { run, undo, result, recovered, error } = event
  const draft = (type: EventDraft['type'], reason: string, what: string): readonly EventDraft[] => [
    { about: undefined, type, reason, message: `"${undo}" of plan "${run.plan}" ${what}${causeOf(error)}` },
  ]
  if (result === 'failed') return draft('Warning', 'UndoPending', 'could not be given back and is still pending')
  if (result === 'taken') return draft('Warning', 'UndoTaken', 'was given back by another process')
  if (result === 'done' && recovered) return draft('Normal', 'UndoRecovered', 'was given back for an interrupted run')
  return []
}

function subjectOf(
  { plan, trigger, drill }: Run,
  isMaintenance: boolean,
): { readonly prefix: string; readonly what: string } {
  switch (trigger) {
    case 'boot':
      return { prefix: 'Boot', what: `installing the dependencies of plan "${plan}"` }
    case 'restore':
      return { prefix: 'Restore', what: `restoring from plan "${plan}"` }
    case 'command':
      return { prefix: 'Command', what: `a command of plan "${plan}"` }
    case 'drill':
      return { prefix: 'Drill', what: `restore drill "${drill ?? '?'}" of plan "${plan}"` }
    case 'verify':
      return { prefix: 'Verify', what: `verifying the backups of plan "${plan}"` }
    default:
      return { prefix: isMaintenance ? 'Maintenance' : 'Backup', what: `plan "${plan}"` }
  }
}

function countOf({ targets }: Outcome): string {
  if (targets.length < 2) return ''
  const backedUp = targets.filter(({ status }) => status === 'succeeded').length
  return `: ${backedUp} of ${targets.length} targets were backed up`
}

function causeOf(error: Failure | undefined): string {
  if (!error) return ''
  return `: ${error.code}: ${error.message}${error.hint === undefined ? '' : `. ${error.hint}`}`
}
