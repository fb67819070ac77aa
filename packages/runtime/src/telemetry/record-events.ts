import type { RuntimeClock } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import type { RunsOf } from '../journal/last-runs.ts'
import type { RunEventListener } from '../lifecycle/events.ts'
import type { ResolvedConfig } from '../load/resolved.ts'
import { recordCopies } from './copy-metrics.ts'
import { recordDrills } from './drill-metrics.ts'
import type { Metrics } from './metrics.ts'
import { recordPlans } from './plan-metrics.ts'
import { recordMetrics } from './run-metrics.ts'

/** What {@link recordEvents} needs. */
export interface RecordEventsOptions {
  readonly metrics: Metrics
  readonly clock: RuntimeClock
  readonly journal: Pick<Journal, 'lastRuns' | 'history'>
  /** This process: what others have run is in the journal only. */
  readonly process: string
  /** The configuration in force. */
  config(): ResolvedConfig
  /** Whether the runs of dead processes have been ended: until then history is not asked for. */
  isRecovered(): boolean
}

/** All metrics that come of the events of runs. @returns take them, each for itself */
export function recordEvents(options: RecordEventsOptions): readonly RunEventListener[] {
  const { metrics, clock, journal, config, isRecovered } = options
  const elsewhere = (): (() => readonly RunsOf[]) => journal.history.elsewhere(options.process)
  const counts = recordMetrics(metrics)
  const drills = recordDrills({
    metrics,
    clock,
    drills: () => config().drills,
    isRecovered,
    history: (drill) => journal.lastRuns({ drill }),
    elsewhere: elsewhere(),
  })
  const plans = recordPlans({
    metrics,
    clock,
    plans: () => config().plans,
    isRecovered,
    history: (plan) => journal.lastRuns({ plan }),
    elsewhere: elsewhere(),
  })
  const copies = recordCopies({
    metrics,
    clock,
    plans: () => config().plans,
    elsewhere: elsewhere(),
    newest: (plan) => journal.history.recent({ plan }, 2).find(({ endedAt }) => endedAt !== undefined),
  })
  return [counts, plans, copies, drills]
}
