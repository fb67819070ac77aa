import { formatDuration, type Run } from '@holdfast/sdk'
import { describeKept, type RunEvent, type RunEventListener, type RuntimeLogger } from '@holdfast/runtime'
import { count, formatBytes } from './format.ts'

/** Writes a run's events as log lines: what a person reads in the morning, with the fields that a machine looks for. */
export function logRunEvents(log: RuntimeLogger): RunEventListener {
  const tenths = new Map<string, number>()
  /** Of a restore, which may take hours and has nothing else to tell, every tenth. */
  const isTold = ({ run, done, total, note }: Extract<RunEvent, { type: 'progress' }>): boolean => {
    if (run.trigger !== 'restore' || !total) return false
    const tenth = Math.floor((done / total) * 10)
    const key = `${run.id} ${note ?? ''}`
    if (tenth === 0 || tenths.get(key) === tenth) return false
    tenths.set(key, tenth)
    return true
  }
  return (event) => {
    const { run } = event
    const of = { plan: run.plan, ...(run.drill !== undefined && { drill: run.drill }), run: run.id }
    const at = { ...of, ...('target' in event && event.target && { target: event.target }) }
    switch (event.type) {
      case 'run-started':
        log.info(`${named(run)} begins`, {
          ...at,
          trigger: run.trigger,
          attempt: run.attempt,
          scheduledFor: run.scheduledFor,
        })
        return
      case 'targets-found':
        log.info(`${count(event.targets.length, 'target')} to back up`, { ...at, targets: event.targets })
        return
      case 'hook-started':
        log.debug(`${event.hook} of "${event.participant}" begins`, { ...at, ...where(event), attempt: event.attempt })
        return
      case 'hook-ended': {
        const fields = { ...at, ...where(event), attempt: event.attempt, durationMs: Math.round(event.durationMs) }
        if (event.error) log.error(event.error.message, { ...fields, error: event.error })
        else log.debug(`${event.hook} of "${event.participant}" is done`, fields)
        return
      }
      case 'target-ended': {
        // Whether it can be read back is known later.
        const { target, status, reason } = event.outcome
        const fields = { ...at, target: target.id, status, ...(reason !== undefined && { reason }) }
        log[status === 'failed' ? 'error' : 'info'](`target "${target.id}" ${status}`, fields)
        return
      }
      case 'artifact-committed': {
        const { point, storedSize, durationMs } = event
        log.info(`stored ${formatBytes(point.size ?? 0)} as ${formatBytes(storedSize)}`, {
          ...at,
          artifact: point.id,
          size: point.size,
          storedSize,
          durationMs: Math.round(durationMs),
          ...(point.state !== 'valid' && { state: point.state }),
        })
        return
      }
      case 'backup-chosen': {
        const points = event.points.map(({ id }) => id)
        log.info(`restores ${count(points.length, 'restore point')} of "${event.target}"`, { ...at, points })
        return
      }
      case 'undo-armed':
        log.debug(`armed "${event.undo}"`, { ...at, ...undoOf(event) })
        return
      case 'undo-settled':
        logUndo(log, event, at)
        return
      case 'pruned':
        if (event.points.length === 0) return
        log.info(
          `${event.dryRun ? 'would remove' : 'removes'} ${count(event.points.length, 'expired restore point')}${event.copy === undefined ? '' : ` from ${event.copy}`}`,
          {
            ...at,
            ...(event.copy !== undefined && { copy: event.copy }),
            points: event.points.map(({ id }) => id),
            kept: describeKept(event.kept),
          },
        )
        return
      case 'copy-started': {
        const { copy, lacks, storedSize } = event
        if (lacks === 0) return
        log.info(`copies ${count(lacks, 'artifact')}, ${formatBytes(storedSize)}, to ${copy}`, {
          ...at,
          copy,
          lacks,
          storedSize,
        })
        return
      }
      case 'artifact-copied':
        log.info(`copied ${formatBytes(event.storedSize)} to ${event.copy} and read it back`, {
          ...at,
          copy: event.copy,
          artifact: event.artifact,
          storedSize: event.storedSize,
          durationMs: Math.round(event.durationMs),
        })
        return
      case 'copy-ended': {
        // What it lacks and why is said as a warning.
        const { copy, copied, lacks, durationMs } = event
        log.debug(`the copy ${copy} is done`, { ...at, copy, copied, lacks, durationMs: Math.round(durationMs) })
        return
      }
      case 'planned':
        for (const step of event.steps) log.info(`would: ${step.what}`, { ...at, kind: step.kind, where: step.where })
        return
      case 'progress':
        log[isTold(event) ? 'info' : 'debug'](`${event.note ?? 'progress'}${shareOf(event)}`, {
          ...at,
          done: event.done,
          total: event.total,
        })
        return
      case 'warning':
        log.warn(event.error.message, { ...at, error: event.error })
        return
      case 'run-ended':
        logEnd(log, event, at)
    }
  }
}

function shareOf({ done, total }: Extract<RunEvent, { type: 'progress' }>): string {
  return total ? `: ${Math.floor((done / total) * 100)} %` : ''
}

function logUndo(log: RuntimeLogger, event: Extract<RunEvent, { type: 'undo-settled' }>, at: object): void {
  const fields = { ...at, ...undoOf(event), heldMs: Math.round(event.heldMs), recovered: event.recovered }
  switch (event.result) {
    case 'done':
      return log.info(`gave back "${event.undo}" after ${formatDuration(event.heldMs)}`, fields)
    case 'disarmed':
      return log.debug(`disarmed "${event.undo}"`, fields)
    case 'taken':
      return log.warn(`"${event.undo}" was given back by another process`, fields)
    case 'failed':
      log.error(`"${event.undo}" could not be given back`, { ...fields, error: event.error })
  }
}

function logEnd(log: RuntimeLogger, event: Extract<RunEvent, { type: 'run-ended' }>, at: object): void {
  const { run, status, outcome, durationMs } = event
  const level = { succeeded: 'info', skipped: 'warn', partial: 'warn', failed: 'error', aborted: 'warn' } as const
  const because = outcome.reason === undefined ? '' : ` (${outcome.reason})`
  log[level[status]](`${named(run)} ${status}${because} after ${formatDuration(durationMs)}`, {
    ...at,
    status,
    durationMs: Math.round(durationMs),
    ...(outcome.reason !== undefined && { reason: outcome.reason }),
    ...(outcome.error && { error: outcome.error }),
  })
}

function named({ plan, trigger, drill, dryRun }: Run): string {
  if (drill !== undefined) return `drill "${drill}"`
  if (trigger === 'boot') return `booting plan "${plan}"`
  if (trigger === 'restore') return `restoring from plan "${plan}"`
  if (trigger === 'command') return `a command of plan "${plan}"`
  return dryRun ? `dry run of plan "${plan}"` : `plan "${plan}"`
}

function where({ hook, participant }: { readonly hook: string; readonly participant: string }): object {
  return { hook, plugin: participant }
}

function undoOf({ undo, participant, id }: { undo: string; participant: string; id: string }): object {
  return { undo, plugin: participant, undoId: id }
}
