import { createSecrets, drillId, pushMetrics, type Engine, type Metrics, type MetricsPush } from '@holdfast/runtime'
import type { CommandContext } from './context.ts'
import { recordSchedules } from './daemon/schedule-metrics.ts'
import { scheduledIn } from './drills.ts'
import { version } from './version.ts'

/** What {@link openPush} needs. */
export interface OpenPushOptions {
  readonly context: Pick<CommandContext, 'io' | 'log' | 'settings' | 'redactor'>
  readonly engine: Pick<Engine, 'config' | 'journal'>
  readonly metrics: Metrics
  /** Of our pod. */
  readonly namespace: string | undefined
}

/**
 * Pushes what is known of a plan when a run of it has ended, where the configuration names a Pushgateway. A process that
 * only runs once also says what the schedules are: how old a backup may be depends on them. A daemon's own metrics take
 * the place of these.
 */
export function openPush(options: OpenPushOptions): MetricsPush {
  const { context, engine, metrics, namespace } = options
  const { io, log, settings, redactor } = context
  if (engine.config().pushgateway !== undefined) describeSchedules(options)
  return pushMetrics({
    metrics,
    config: engine.config,
    namespace,
    stateDirectory: settings.stateDirectory,
    secrets: createSecrets({ redactor, env: io.env }),
    redactor,
    clock: io.clock,
    log,
  })
}

function describeSchedules({ context, engine, metrics }: OpenPushOptions): void {
  const { io, log } = context
  let known: ReadonlyMap<string, Date> | undefined
  const since = (name: string): Date | undefined => {
    try {
      known ??= engine.journal.scheduledSince(scheduledIn(engine.config()).map((each) => each.name))
    } catch (error) {
      log.warn('since when plans have been scheduled can not be written down', { error })
      known = new Map()
    }
    return known.get(name)
  }
  const shared = { metrics, clock: io.clock, next: () => undefined }
  recordSchedules({
    ...shared,
    prefix: 'holdfast_schedule',
    label: 'plan',
    entries: () => engine.config().plans.map((plan) => ({ ...plan, isAgeless: plan.maintenance })),
    since,
  })
  recordSchedules({
    ...shared,
    prefix: 'holdfast_restore_drill_schedule',
    label: 'drill',
    entries: () => engine.config().drills.map((drill) => ({ ...drill, isAgeless: false })),
    since: (drill) => since(drillId(drill)),
  })
  metrics.gauge('holdfast_build_info', 'The version', ['version']).set(1, { version })
}
