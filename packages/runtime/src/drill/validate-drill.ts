import type { HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { issuesText } from '../issues.ts'
import { reasonOf, toFailure } from '../failure.ts'
import { callWithDeadline } from '../lifecycle/call.ts'
import type { Participant, ResolvedDrill } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { fillOptions } from './drill-options.ts'
import { restorerFor } from './find-backups.ts'

const checkMs = 60_000

/**
 * Looks for what would keep a drill from running, as far as it can be seen without restoring: scripts that can't run, options
 * that no plugin of its plan takes.
 *
 * @returns everything that there is to say against it
 */
export async function validateDrill(
  services: Pick<Services, 'clock' | 'shutdown'>,
  drill: ResolvedDrill,
  signal: AbortSignal,
): Promise<readonly HoldfastError[]> {
  const found: HoldfastError[] = []
  const work = async (): Promise<void> => {
    for (const code of [drill.expect, drill.cleanup]) found.push(...((await code?.check?.()) ?? []))
    const wrong = await optionsProblem(drill)
    if (wrong) found.push(wrong)
  }
  try {
    await callWithDeadline(work, {
      clock: services.clock,
      where: `the check of drill "${drill.name}"`,
      timeoutMs: checkMs,
      parents: [signal],
      hurried: services.shutdown.abandoned,
    })
  } catch (error) {
    found.push(toFailure(error, { plugin: drill.participant.id }))
  }
  return found
}

/** Whoever may restore it; which of them it will be is known once there is a backup. */
function restorersOf({ plan, target, bytes }: ResolvedDrill): readonly Participant[] {
  const elsewhere = plan.participants.filter(({ restore }) => restore?.points)
  if (bytes) return elsewhere
  if (target === undefined) return plan.participants.filter(({ restore }) => restore)
  const own = restorerFor(plan, target)
  return [...new Set([...elsewhere, ...(own ? [own] : [])])]
}

async function optionsProblem(drill: ResolvedDrill): Promise<HoldfastError | undefined> {
  const { name, options } = drill
  // What a function says is known once it is called.
  if (typeof options === 'function') return undefined
  const given = fillOptions(options, { directory: '/scratch', suffix: '20260101t000000z00000000' })
  const refusals: HoldfastError[] = []
  for (const { id, restore } of restorersOf(drill)) {
    const reason = restore && (await whyNot(restore.options, given))
    if (reason === undefined) return undefined
    refusals.push(errors.DRILL_OPTIONS({ drill: name, plugin: id, reason }))
  }
  return refusals[0]
}

async function whyNot(
  schema: NonNullable<Participant['restore']>['options'],
  options: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  try {
    const { issues } = await schema['~standard'].validate(options)
    return issues && issuesText(issues)
  } catch (error) {
    return reasonOf(error)
  }
}
