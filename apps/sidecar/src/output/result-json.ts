import type { RestorePoint } from '@holdfast/sdk'
import { recordFailure, type RunEvent, type RunResult } from '@holdfast/runtime'

/** A run as `--json` prints it. */
export function resultJson({ run, outcome }: RunResult, events: readonly RunEvent[]): object {
  const { status, reason, error, warnings, targets } = outcome
  const end = events.findLast((event) => event.type === 'run-ended')
  return {
    run,
    status,
    reason,
    durationMs: end && Math.round(end.durationMs),
    error: error && recordFailure(error),
    warnings: warnings.map(recordFailure),
    targets: targets.map((target) => ({
      id: target.target.id,
      status: target.status,
      verification: target.verification,
      reason: target.reason,
      error: target.error && recordFailure(target.error),
      points: target.points.map(pointJson),
      ...(run.dryRun && { steps: stepsOf(target.target.id, events), expired: expiredOf(target.target.id, events) }),
    })),
  }
}

/** A restore point as `--json` prints it. */
export function pointJson({ id, target, createdAt, size, mode, state, verifiedAt, ref }: RestorePoint): object {
  return { id, target, createdAt, size, mode, state, verifiedAt, ref }
}

function stepsOf(target: string, events: readonly RunEvent[]): object {
  return events.flatMap((event) => (event.type === 'planned' && event.target === target ? event.steps : []))
}

function expiredOf(target: string, events: readonly RunEvent[]): object {
  return events.flatMap((event) => {
    return event.type === 'pruned' && event.target === target ? event.points.map(({ id }) => id) : []
  })
}
