import type { PlanPreview } from '@holdfast/runtime'
import { count } from './format.ts'
import type { Style } from './style.ts'

/** What is beside the schedules. */
export interface ByHand {
  /** What has no schedule. */
  readonly byHand: readonly string[]
  /** The plans that are paused by hand, and since when. */
  readonly pauses: ReadonlyMap<string, Date>
}

/** The next fire times of every plan, for people. */
export function formatSchedule(previews: readonly PlanPreview[], { byHand, pauses }: ByHand, style: Style): string {
  const blocks = previews.map(({ plan, cron, timeZone, paused, next, change }) => {
    const since = pauses.get(plan)
    const pause = paused ? 'paused' : since && `paused by hand since ${since.toISOString()}`
    const title = `${style.bold(plan)}  ${cron}  ${style.dim(timeZone)}${pause ? `  ${style.yellow(pause)}` : ''}`
    return [title, ...next.map(({ local }) => `  ${local}`), ...(change ? changeLines(change, style) : [])].join('\n')
  })
  if (byHand.length > 0) blocks.push(style.dim(`Without a schedule, by hand only: ${byHand.join(', ')}`))
  if (blocks.length === 0) return 'There is no plan.\n'
  return `${blocks.join('\n\n')}\n`
}

function changeLines(change: NonNullable<PlanPreview['change']>, style: Style): readonly string[] {
  const { local, direction, from, to, before, after, lost } = change
  const what = direction === 'forward' ? 'clocks go forward' : 'clocks go back'
  const gone = lost === 0 ? '' : `; ${count(lost, 'slot')} fall away`
  const around = [before && `before it ${before.local}`, after && `after it ${after.local}`].filter(Boolean).join(', ')
  return [
    style.dim(`  ${local}: ${what}, ${from} to ${to}${gone}`),
    ...(around === '' ? [] : [style.dim(`    ${around}`)]),
  ]
}
