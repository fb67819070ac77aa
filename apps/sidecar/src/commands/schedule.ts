import { drillId, drillOfId, preview, previewJson, type ResolvedConfig, type ResolvedPlan } from '@holdfast/runtime'
import { isHoldfastError, type Schedule } from '@holdfast/sdk'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { describeScheduled, isScheduledDrill, scheduledIn } from '../drills.ts'
import { exitCode } from '../exit-codes.ts'
import { hasJournal, lookIntoJournal } from '../journal.ts'
import { formatSchedule } from '../output/schedule.ts'
import { positiveInteger } from '../settings.ts'

/** Options of `holdfast schedule`. */
export interface ScheduleOptions {
  readonly count: string
}

/** `holdfast schedule`: when every plan and drill runs next, and what the next clock change does to it. */
export async function runScheduleCommand(context: CommandContext, options: ScheduleOptions): Promise<number> {
  const count = positiveInteger('--count', options.count)
  const { config } = await openConfiguration(context)
  const previews = preview(scheduledIn(config), context.io.clock.now(), count)
  const pauses = readPauses(context)
  if (context.settings.json) {
    context.printJson(
      previewJson(previews).map((each, index) => {
        const isPaused = previews[index]?.paused ?? false
        return { ...each, ...named(config, each), ...pausedBy(isPaused, pauses.get(each.plan)) }
      }),
    )
  } else {
    const byHand = [
      ...config.plans.filter((plan) => !isScheduled(plan)).map(({ name }) => name),
      ...config.drills.filter((drill) => !isScheduledDrill(drill)).map(({ name }) => describeScheduled(drillId(name))),
    ]
    const titled = previews.map((each) => {
      return drillOfId(each.plan) === undefined ? each : { ...each, plan: describeScheduled(each.plan) }
    })
    context.print(formatSchedule(titled, { byHand, pauses }, context.style))
  }
  return exitCode.ok
}

/** What is paused by hand; where nothing can be read, nothing is. */
function readPauses(context: CommandContext): ReadonlyMap<string, Date> {
  if (!hasJournal(context.settings.stateDirectory)) return new Map()
  try {
    const journal = lookIntoJournal(context)
    try {
      return journal.pauses.all()
    } finally {
      journal.close()
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    context.warn(error)
    return new Map()
  }
}

function pausedBy(isPaused: boolean, since: Date | undefined): object {
  if (isPaused) return { paused: 'configuration' }
  return since ? { paused: 'hand', pausedAt: since } : {}
}

/** A drill says its plan, as a plan does, and its own name beside it. */
function named({ drills }: ResolvedConfig, { plan }: { readonly plan: string }): object {
  const drill = drills.find(({ name }) => name === drillOfId(plan))
  return drill ? { plan: drill.plan.name, drill: drill.name } : {}
}

/** Whether a plan runs by itself. */
export function isScheduled(plan: ResolvedPlan): plan is ResolvedPlan & { readonly schedule: Schedule } {
  return plan.schedule !== undefined
}
