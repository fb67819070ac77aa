import { preview, previewJson, type ResolvedPlan } from '@holdfast/runtime'
import type { Schedule } from '@holdfast/sdk'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { formatSchedule } from '../output/schedule.ts'
import { positiveInteger } from '../settings.ts'

/** Options of `holdfast schedule`. */
export interface ScheduleOptions {
  readonly count: string
}

/** `holdfast schedule`: when every plan runs next, and what the next clock change does to it. */
export async function runScheduleCommand(context: CommandContext, options: ScheduleOptions): Promise<number> {
  const count = positiveInteger('--count', options.count)
  const { config } = await openConfiguration(context)
  const scheduled = config.plans.filter(isScheduled)
  const previews = preview(scheduled, context.io.clock.now(), count)
  if (context.settings.json) context.printJson(previewJson(previews))
  else {
    const byHand = config.plans.filter((plan) => !isScheduled(plan)).map(({ name }) => name)
    context.print(formatSchedule(previews, byHand, context.style))
  }
  return exitCode.ok
}

/** Whether a plan runs by itself. */
export function isScheduled(plan: ResolvedPlan): plan is ResolvedPlan & { readonly schedule: Schedule } {
  return plan.schedule !== undefined
}
