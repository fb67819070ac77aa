import type { HoldfastError, PlannedStep } from '@holdfast/sdk'
import { toFailure } from '../failure.ts'
import { callWithDeadline } from '../lifecycle/call.ts'
import type { ResolvedDrill } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { chooseBackup } from './choose-backup.ts'
import { findBackups, type FoundBackup } from './find-backups.ts'
import { validateDrill } from './validate-drill.ts'

/** What a drill would do now. */
export interface InspectedDrill {
  readonly drill: ResolvedDrill
  readonly problems: readonly HoldfastError[]
  /** Backups that it chooses from. */
  readonly backups: number
  /** What it would restore; where it chooses at random, one of those that it could. `undefined`: there is nothing. */
  readonly backup: FoundBackup | undefined
  readonly steps: readonly PlannedStep[]
}

const inspectMs = 10 * 60_000

/** Looks what a drill would restore, and changes nothing. */
export async function inspectDrill(
  services: Services,
  drill: ResolvedDrill,
  signal: AbortSignal,
): Promise<InspectedDrill> {
  const { name, select, target } = drill
  const problems = [...(await validateDrill(services, drill, signal))]
  let found: readonly FoundBackup[] = []
  try {
    await callWithDeadline(async (deadline) => void (found = await findBackups(services, drill, deadline)), {
      clock: services.clock,
      where: `the search of drill "${name}" for a backup`,
      timeoutMs: inspectMs,
      parents: [signal],
      hurried: services.shutdown.abandoned,
    })
  } catch (error) {
    problems.push(toFailure(error, { plugin: drill.participant.id }))
  }
  // The first draw: of many it could be any.
  const backup = chooseBackup(found, { select, target, random: () => 0 })?.backup as FoundBackup | undefined
  const backups = found.filter((each) => target === undefined || each.target === target).length
  return { drill, problems, backups, backup, steps: stepsOf(drill, backup) }
}

/** What a drill does, a line each: also where it has nothing to restore yet. */
export function stepsOf(drill: ResolvedDrill, backup?: FoundBackup): readonly PlannedStep[] {
  const { select, expect, cleanup, options, plan } = drill
  const what = backup
    ? `restores ${backup.points.map(({ id }) => id).join(', ')}`
    : `restores ${select === 'newest' ? 'the newest backup' : 'any backup'} of plan "${plan.name}"`
  const given =
    typeof options === 'function'
      ? 'as its options say'
      : Object.entries(options)
          .map((pair) => pair.join('='))
          .join(' ')
  const by = backup?.restorer ? `by "${backup.restorer.id}", ${given}` : backup ? 'as files' : given
  return [
    { kind: 'artifact', what, where: by },
    { kind: 'exec', what: `runs ${expect.source}`, where: 'expect' },
    {
      kind: 'undo',
      what: cleanup ? `runs ${cleanup.source}, removes its directory` : 'removes its directory',
      where: 'cleanup',
    },
  ]
}
