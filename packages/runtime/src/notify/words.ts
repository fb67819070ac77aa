// What is said unless somebody wrote a template: names and codes, and the texts of errors only where they were asked for
// (fault F55).
import { formatDuration, type Notification } from '@holdfast/sdk'
import { failedOf } from './template.ts'

/** A notification that has not been put into words. */
export type Facts = Omit<Notification, 'subject' | 'text'>

/** Beyond so many, targets are counted. */
const mostTargets = 20

/** One line that says it all. */
export function subjectOf(facts: Facts): string {
  const { kind, undo, since, targets, run } = facts
  const what = whatOf(facts)
  switch (kind) {
    case 'test':
      return `Holdfast: this is a test, nothing has happened`
    case 'start':
      return `${what} begins`
    case 'success':
      return `${what} succeeded`
    case 'failure':
      return `${what} ${run?.status === 'aborted' ? 'was aborted' : 'failed'}`
    case 'partial':
      return `${what} failed in part${partOf(targets)}`
    case 'recovery':
      return undo ? `"${undo.name}" of ${what} is not pending any more` : `${what} has recovered`
    case 'stale':
      return since === undefined ? `${what} has never succeeded` : `${what} has not succeeded since ${timeOf(since)}`
    case 'undo':
      return `"${undo?.name ?? 'an undo'}" of ${what} is not given back`
  }
}

/** All that is to be said, line by line. */
export function textOf(facts: Facts): string {
  const { kind, code, plugin, hook, error, warnings, targets, run, since, undo, instance, host, at } = facts
  const where = [hook, plugin === undefined ? undefined : `of "${plugin}"`].filter(Boolean).join(' ')
  const failed = targets.filter(({ id }) => failedOf(targets).includes(id))
  const named = failed
    .slice(0, mostTargets)
    .map((each) => `${each.id}${each.code === undefined ? '' : ` (${each.code})`}`)
  const more = failed.length > mostTargets ? ` and ${failed.length - mostTargets} more` : ''
  const lines = [
    meaningOf(facts),
    code !== undefined && `Error: ${code}${where === '' ? '' : ` in ${where}`}`,
    error && `Message: ${error.message}`,
    error?.hint !== undefined && `What to do: ${error.hint}`,
    failed.length > 0 && `Targets that failed: ${named.join(', ')}${more}`,
    warnings.length > 0 && `Warnings: ${[...new Set(warnings)].join(', ')}`,
    kind === 'recovery' && since && `Not well since: ${timeOf(since)}`,
    undo && `Undo: ${undo.id} (${undo.name} of "${undo.plugin}")`,
    run && `Run: ${run.id}, ${run.trigger}${run.durationMs === undefined ? '' : `, ${formatDuration(run.durationMs)}`}`,
    `Installation: ${instance}, ${host}, ${timeOf(at)}`,
    run?.status !== undefined && run.status !== 'succeeded' && `More: holdfast history ${run.id}`,
  ]
  return lines.filter((line) => typeof line === 'string').join('\n')
}

function meaningOf({ kind, maintenance, drill, run, undo }: Facts): string | undefined {
  const isBoot = run?.trigger === 'boot'
  switch (kind) {
    case 'test':
      return 'Somebody tries whether notifications arrive. They do.'
    case 'failure':
      if (isBoot) return 'The process ends, and nothing is backed up until this is mended.'
      if (drill !== undefined) return 'That a backup can be restored is not proven.'
      return maintenance ? 'Its work is not done.' : 'There is no new backup. Earlier ones are untouched.'
    case 'partial':
      return run?.reason === 'copies'
        ? 'Every target is backed up; a copy lacks something.'
        : 'Some targets have no new backup that is known to be good. Earlier ones are untouched.'
    case 'stale':
      return 'It is expected to succeed more often. This is said once, until it does.'
    case 'undo':
      return 'Something may still be frozen, locked or paused: see `holdfast undo list`. This is said once.'
    case 'recovery':
      return undo ? 'It was given back, or somebody has said that it is.' : undefined
    default:
      return undefined
  }
}

function whatOf({ plan, drill, run }: Facts): string {
  if (drill !== undefined) return `drill "${drill}"`
  return run?.trigger === 'boot' ? `installing the dependencies of plan "${plan ?? ''}"` : `plan "${plan ?? ''}"`
}

function partOf(targets: Facts['targets']): string {
  const asked = targets.filter(({ status }) => status !== 'skipped')
  if (asked.length < 2) return ''
  return `: ${asked.length - failedOf(targets).length} of ${asked.length} targets are backed up`
}

function timeOf(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
