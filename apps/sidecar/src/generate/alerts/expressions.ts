// Conditions that plans and restore drills have in common, in PromQL.

/** What the metrics of one kind of thing that runs are called. */
export interface Series {
  /** The label with its name. */
  readonly label: 'plan' | 'drill'
  readonly run: string
  readonly runs: string
  readonly schedule: string
}

export const ofPlans: Series = {
  label: 'plan',
  run: 'holdfast_run',
  runs: 'holdfast_runs_total',
  schedule: 'holdfast_schedule',
}

export const ofDrills: Series = {
  label: 'drill',
  run: 'holdfast_restore_drill',
  runs: 'holdfast_restore_drill_runs_total',
  schedule: 'holdfast_restore_drill_schedule',
}

/** One value for each, whichever pods have it. */
export function each({ label }: Series, metric: string): string {
  return `max by (namespace, ${label}) (${metric})`
}

/** A run ended so within an hour: counted, or, where it was pushed and can't be, by what the last one says. */
export function endedAs(series: Series, results: string): string {
  const { label, run, runs } = series
  return `sum by (namespace, ${label}) (increase(${runs}{result=~"${results}"}[1h])) > 0
or
${each(series, `${run}_phase{phase=~"${results}"}`)} == 1
  and time() - ${each(series, `${run}_last_completion_timestamp_seconds`)} < 3600`
}

/** The last success is older than two slots. */
export function isTooOld(series: Series): string {
  return `time() - ${lastSuccess(series)}
  > 2 * ${interval(series)}`
}

/** Two slots have passed since it was scheduled, and none has succeeded. */
export function neverSucceeded(series: Series): string {
  return `time() - ${each(series, `${series.schedule}_created_timestamp_seconds`)}
  > 2 * ${interval(series)}
unless ${lastSuccess(series)}
${unlessPaused(series)}`
}

/** Of what is paused nothing is expected. */
export function unlessPaused(series: Series): string {
  return `unless ${each(series, `${series.schedule}_paused`)} == 1`
}

/** Slots have passed without a run. */
export function missedSlots({ label, schedule }: Series): string {
  return `sum by (namespace, ${label}) (increase(${schedule}_missed_total{reason=~"down|overlap"}[6h])) > 0`
}

/** It should have ended long ago. */
export function isStuck(series: Series): string {
  return `time() - ${each(series, `${series.run}_deadline_timestamp_seconds`)} > 300`
}

/** When it last succeeded. */
export function lastSuccess(series: Series): string {
  return each(series, `${series.run}_last_success_timestamp_seconds`)
}

/** The longest time between two of its slots; absent where it runs by hand only. */
export function interval(series: Series): string {
  return each(series, `${series.schedule}_expected_interval_seconds`)
}

/** In brackets, where something else follows. */
export function grouped(expression: string): string {
  return `(\n${expression.replaceAll(/^/gm, '  ')}\n)`
}
