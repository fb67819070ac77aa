import type { RunEvent } from '@holdfast/runtime'

/** An event in a few words; none for those that say nothing new. */
export function describeEvent(event: RunEvent): readonly string[] {
  switch (event.type) {
    case 'targets-found':
      return [`targets ${event.targets.join(' ')}`]
    case 'hook-started':
      return [
        words(event.hook, event.participant, event.target, event.attempt > 1 ? `attempt ${event.attempt}` : undefined),
      ]
    case 'hook-ended':
      return event.error ? [words(event.hook, event.participant, event.target, `failed ${event.error.code}`)] : []
    case 'target-ended':
      return [words('target', event.outcome.target.id, event.outcome.status)]
    case 'artifact-committed':
      return [words('artifact', event.target, event.point.id.split('/').at(-1))]
    case 'undo-armed':
      return [words('armed', event.undo)]
    case 'undo-settled':
      return [words(event.undo, event.result, event.recovered ? 'after a crash' : undefined)]
    case 'backup-chosen':
      return [words('chose', event.target, `${event.points.length}`)]
    case 'pruned':
      return event.points.length > 0
        ? [
            words(
              event.dryRun ? 'would prune' : 'pruned',
              event.target,
              `${event.points.length}`,
              event.copy && `in ${event.copy}`,
            ),
          ]
        : []
    case 'artifact-copied':
      return [words('copied', event.target, event.artifact.split('/').at(-1), `to ${event.copy}`)]
    case 'copy-ended':
      return event.error ? [words('copy', event.copy, 'failed')] : []
    case 'planned':
      return event.steps.map(({ kind, what }) => words('planned', event.target, kind, what))
    case 'warning':
      return [words('warning', event.error.code)]
    case 'run-ended':
      return [words('run', event.status)]
    case 'run-started':
    case 'copy-started':
    case 'progress':
      return []
  }
}

function words(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(' ')
}
