import type { Clock } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import type { LastRuns, RunsOf } from '../journal/last-runs.ts'
import type { RunEventListener } from '../lifecycle/events.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import { inSlices } from './in-slices.ts'
import type { Metrics } from './metrics.ts'
import { createPlanStates, type KnownTarget } from './plan-state.ts'
import { recordRunTimes } from './run-times.ts'

/** What {@link recordPlans} needs. */
export interface RecordPlansOptions {
  readonly metrics: Pick<Metrics, 'computed' | 'beforeRead'>
  readonly clock: Pick<Clock, 'now'> & Pick<RuntimeClock, 'monotonic'>
  /** Those of the configuration in force. */
  plans(): readonly Pick<ResolvedPlan, 'name' | 'budgetMs' | 'maintenance'>[]
  /** Whether the runs of dead processes have been ended: until then history is not asked for. */
  isRecovered(): boolean
  /** What other processes did; asked for once per plan and whenever they did more, and only when metrics are read. */
  history(plan: string): LastRuns
  /** Whose runs other processes have ended since it was last asked. */
  elsewhere(): readonly RunsOf[]
}

/**
 * Metrics that say how each plan stands: worked out when they are read, so that a thousand idle plans cost nothing, and
 * a plan or a target that is gone is not there any more.
 *
 * @returns takes the events of runs
 */
export function recordPlans(options: RecordPlansOptions): RunEventListener {
  const { metrics, clock, plans, isRecovered, history, elsewhere } = options
  const states = createPlanStates({
    now: () => clock.now(),
    budgetOf: (name) => plans().find((plan) => plan.name === name)?.budgetMs ?? 0,
  })

  metrics.beforeRead(async () => {
    states.keep(new Set(plans().map(({ name }) => name)))
    for (const whose of elsewhere()) if ('plan' in whose) states.outdate(whose.plan)
    if (isRecovered()) await inSlices(plans(), clock, ({ name }) => states.restore(name, history))
  })

  recordRunTimes({
    metrics,
    states,
    prefix: 'holdfast_run',
    label: 'plan',
    // A plan that backs nothing up has no backup whose age could matter.
    names: () => plans().map(({ name, maintenance }) => ({ name, isAgeless: maintenance })),
  })
  // So that alerts and dashboards can tell what makes no backups from what makes none any more.
  metrics.computed('holdfast_plan_info', 'Whether the plan makes backups', ['plan', 'kind'], function* () {
    for (const { name: plan, maintenance } of plans()) {
      yield { value: 1, labels: { plan, kind: maintenance ? 'maintenance' : 'backup' } }
    }
  })
  metrics.computed('holdfast_targets_selected', 'Targets that the newest run found', ['plan'], function* () {
    for (const { name: plan } of plans()) {
      const { targets } = states.of(plan)
      if (targets) yield { value: targets.size, labels: { plan } }
    }
  })
  const ofTargets = (name: string, help: string, key: keyof KnownTarget): void =>
    metrics.computed(name, help, ['plan', 'target'], function* () {
      for (const { name: plan } of plans()) {
        for (const [target, known] of states.of(plan).targets ?? []) {
          const value = numberOf(known[key])
          if (value !== undefined) yield { value, labels: { plan, target } }
        }
      }
    })
  ofTargets(
    'holdfast_target_last_success_timestamp_seconds',
    'When the target was last backed up, in a way that could be read back',
    'succeededAt',
  )
  ofTargets(
    'holdfast_verify_last_success_timestamp_seconds',
    'When a run last read a backup of the target back, whole',
    'verifiedAt',
  )
  ofTargets('holdfast_target_backup_size_bytes', 'Size of the newest backup, before encoding', 'size')
  ofTargets(
    'holdfast_target_backup_suspect',
    'Whether the newest backup is much smaller than usual, and nobody has accepted that',
    'suspect',
  )

  return states.listen
}

/** Times are seconds. */
function numberOf(known: KnownTarget[keyof KnownTarget]): number | undefined {
  if (known instanceof Date) return known.getTime() / 1000
  return typeof known === 'boolean' ? Number(known) : known
}
