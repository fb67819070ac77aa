import { formatDuration, type Schedule } from '@holdfast/sdk'
import { parseCron, type ResolvedConfig } from '@holdfast/runtime'
import { ageAlerts } from './age-alerts.ts'
import { promString, type Alert } from './alert.ts'
import { each, ofDrills, ofPlans, type Series } from './expressions.ts'
import { generalAlerts } from './general-alerts.ts'

/** What {@link alertsOf} needs of a configuration. */
export type AlertedConfig = {
  readonly plans: readonly Pick<ResolvedConfig['plans'][number], 'name' | 'schedule' | 'maintenance' | 'budgetMs'>[]
  readonly drills: readonly Pick<ResolvedConfig['drills'][number], 'name' | 'schedule' | 'budgetMs'>[]
}

/**
 * The alerts for a configuration. Those of age know each plan by its name, so that they also fire for one whose metrics
 * are not there at all: they were never pushed, or nothing runs that could be scraped.
 */
export function alertsOf({ plans, drills }: AlertedConfig): readonly Alert[] {
  const aged = new Set(ageAlerts.map(({ name }) => name))
  const general = generalAlerts.filter(({ name }) => !aged.has(name))
  return [
    ...plans.filter(({ maintenance }) => !maintenance).flatMap((plan) => alertsOfAge(agedPlan, plan)),
    ...drills.flatMap((drill) => alertsOfAge(agedDrill, drill)),
    ...general.filter(({ name }) => drills.length > 0 || !name.startsWith('RestoreDrill')),
  ]
}

interface Aged {
  readonly series: Series
  readonly tooOld: string
  readonly never: string
  /** What is said where nothing of it is seen. */
  readonly unseen: string
}

const agedPlan: Aged = {
  series: ofPlans,
  tooOld: 'BackupTooOld',
  never: 'BackupNeverSucceeded',
  unseen: 'No good backup of plan {{ $labels.plan }} is known',
}
const agedDrill: Aged = {
  series: ofDrills,
  tooOld: 'RestoreDrillStale',
  never: 'RestoreDrillNeverSucceeded',
  unseen: 'No success of the restore drill {{ $labels.drill }} is known',
}

function alertsOfAge(kind: Aged, { name, schedule, budgetMs }: AlertedConfig['drills'][number]): readonly Alert[] {
  // What is only run by hand is expected at no time; what is paused is not expected either.
  if (schedule === undefined || schedule.paused) return []
  const seconds = Math.ceil(oldestMs(schedule, budgetMs) / 1000)
  const { series, tooOld, never, unseen } = kind
  const { label } = series
  const matcher = `{${label}=${promString(name)}}`
  const succeeded = `${series.run}_last_success_timestamp_seconds${matcher}`
  const paused = `${series.schedule}_paused${matcher}`
  // BackupSidecarDown is about that, and all plans would say the same.
  const down = `absent(${series.schedule}_created_timestamp_seconds${matcher}) and on () up{job="holdfast"} == 0`
  // Rules of one name are told apart by it before they are evaluated, too.
  const labels = { [label]: name }
  return [
    {
      ...named(tooOld),
      labels,
      expr: `time() - ${each(series, succeeded)} > ${seconds}\nunless ${each(series, paused)} == 1`,
    },
    {
      ...named(never),
      labels,
      for: `${seconds}s`,
      expr: `absent(${succeeded})\nunless on (${label}) max by (${label}) (${paused}) == 1\nunless on (${label}) (${down})`,
      summary: unseen,
      description: `It runs by ${schedule.cron}, and for ${formatDuration(seconds * 1000)} no success was to be seen. It has never succeeded, and \`holdfast history\` says why; or its metrics are not there: they are not scraped, or it is not in the configuration any more, and these rules have to be made again.`,
    },
  ]
}

/**
 * How old a success may get: two slots in a row that bring none, and the longest that a run may take. One that may take
 * longer than the time between slots is not waited for.
 */
function oldestMs({ cron, timeZone }: Schedule, budgetMs: number): number {
  const { longestGapMs } = parseCron(cron, timeZone)
  return 2 * longestGapMs + Math.min(budgetMs, longestGapMs)
}

function named(name: string): Alert {
  const found = ageAlerts.find((alert) => alert.name === name)
  if (!found) throw new Error(`there is no alert ${name}`)
  return found
}
