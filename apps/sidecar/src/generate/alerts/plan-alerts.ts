import { formatDuration, type Schedule } from '@holdfast/sdk'
import { parseCron, type ResolvedConfig } from '@holdfast/runtime'
import { ageAlerts } from './age-alerts.ts'
import { promString, type Alert } from './alert.ts'
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
    ...plans.filter(({ maintenance }) => !maintenance).flatMap((plan) => alertsOfAge(ofPlan, plan)),
    ...drills.flatMap((drill) => alertsOfAge(ofDrill, drill)),
    ...general.filter(({ name }) => drills.length > 0 || !name.startsWith('RestoreDrill')),
  ]
}

interface Aged {
  readonly label: 'plan' | 'drill'
  readonly lastSuccess: string
  readonly paused: string
  readonly tooOld: string
  readonly never: string
}

const ofPlan: Aged = {
  label: 'plan',
  lastSuccess: 'holdfast_run_last_success_timestamp_seconds',
  paused: 'holdfast_schedule_paused',
  tooOld: 'BackupTooOld',
  never: 'BackupNeverSucceeded',
}

const ofDrill: Aged = {
  label: 'drill',
  lastSuccess: 'holdfast_restore_drill_last_success_timestamp_seconds',
  paused: 'holdfast_restore_drill_schedule_paused',
  tooOld: 'RestoreDrillStale',
  never: 'RestoreDrillNeverSucceeded',
}

function alertsOfAge(kind: Aged, { name, schedule, budgetMs }: AlertedConfig['drills'][number]): readonly Alert[] {
  // What is only run by hand is expected at no time; what is paused is not expected either.
  if (schedule === undefined || schedule.paused) return []
  const seconds = Math.ceil(oldestMs(schedule, budgetMs) / 1000)
  const { label, lastSuccess, paused, tooOld, never } = kind
  const matcher = `{${label}=${promString(name)}}`
  const unlessPaused = `unless max by (namespace, ${label}) (${paused}${matcher}) == 1`
  // Rules of one name are told apart by it before they are evaluated, too.
  const labels = { [label]: name }
  return [
    {
      ...named(tooOld),
      labels,
      expr: `time() - max by (namespace, ${label}) (${lastSuccess}${matcher}) > ${seconds}\n${unlessPaused}`,
    },
    {
      ...named(never),
      labels,
      for: `${seconds}s`,
      expr: `absent(${lastSuccess}${matcher})\nunless on (${label}) max by (${label}) (${paused}${matcher}) == 1`,
      description: `It runs by ${schedule.cron} and has not succeeded once in ${formatDuration(seconds * 1000)}, or nobody can tell: its metrics are not there. \`holdfast history\` says which.`,
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
