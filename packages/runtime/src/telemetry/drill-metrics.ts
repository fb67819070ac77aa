import type { Clock, Meter, Run, RunStatus } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import type { LastRuns, RunsOf } from '../journal/last-runs.ts'
import type { RunEventListener } from '../lifecycle/events.ts'
import type { ResolvedDrill } from '../load/resolved.ts'
import { inSlices } from './in-slices.ts'
import type { Metrics } from './metrics.ts'
import { createPlanStates } from './plan-state.ts'
import { recordRunTimes } from './run-times.ts'

/** What {@link recordDrills} needs. */
export interface RecordDrillsOptions {
  readonly metrics: Metrics
  readonly clock: Pick<Clock, 'now'> & Pick<RuntimeClock, 'monotonic'>
  /** Those of the configuration in force. */
  drills(): readonly Pick<ResolvedDrill, 'name' | 'budgetMs'>[]
  /** Whether the runs of dead processes have been ended: until then history is not asked for. */
  isRecovered(): boolean
  /** What other processes did; asked for once per drill and whenever they did more, and only when metrics are read. */
  history(drill: string): LastRuns
  /** Whose runs other processes have ended since it was last asked. */
  elsewhere(): readonly RunsOf[]
}

const statuses: readonly RunStatus[] = ['succeeded', 'partial', 'failed', 'skipped', 'aborted']
const prefix = 'holdfast_restore_drill'

function runCounter(meter: Meter): ReturnType<Meter['counter']> {
  return meter.counter(`${prefix}_runs_total`, 'Restore drills by how they ended', ['drill', 'result'])
}

function drillDuration(metrics: Pick<Metrics, 'histogram'>): ReturnType<Metrics['histogram']> {
  return metrics.histogram(`${prefix}_duration_seconds`, 'How long restore drills took', ['drill'])
}

/** Begins all counts of drills at 0, so that `increase()` sees the first failure. */
export function announceDrills(
  meter: Pick<Metrics, keyof Meter>,
  drills: readonly Pick<ResolvedDrill, 'name'>[],
): void {
  const runs = runCounter(meter)
  const durations = drillDuration(meter)
  for (const { name } of drills) {
    for (const result of statuses) runs.add(0, { drill: name, result })
    durations.begin({ drill: name })
  }
}

/** Counts a drill that ended, perhaps with its process. */
export function countDrill(meter: Meter, drill: string, result: RunStatus): void {
  runCounter(meter).add(1, { drill, result })
}

/**
 * Metrics that say how each drill stands. A drill is none of its plan's runs: one that succeeds makes no backup, and one
 * that fails takes none away.
 *
 * @returns takes the events of runs
 */
export function recordDrills(options: RecordDrillsOptions): RunEventListener {
  const { metrics, clock, drills, isRecovered, history, elsewhere } = options
  const durations = drillDuration(metrics)
  const states = createPlanStates({
    now: () => clock.now(),
    budgetOf: (name) => drills().find((drill) => drill.name === name)?.budgetMs ?? 0,
    nameOf: (run: Run) => run.drill,
    counts: ({ dryRun }) => !dryRun,
  })

  metrics.beforeRead(async () => {
    states.keep(new Set(drills().map(({ name }) => name)))
    for (const whose of elsewhere()) if ('drill' in whose) states.outdate(whose.drill)
    if (isRecovered()) await inSlices(drills(), clock, ({ name }) => states.restore(name, history))
  })
  recordRunTimes({
    metrics,
    states,
    prefix,
    label: 'drill',
    names: () => drills().map(({ name }) => ({ name, isAgeless: false })),
  })

  return (event) => {
    states.listen(event)
    const { drill } = event.run
    if (event.type !== 'run-ended' || drill === undefined) return
    countDrill(metrics, drill, event.status)
    if (event.status !== 'skipped') durations.record(event.durationMs / 1000, { drill })
  }
}
