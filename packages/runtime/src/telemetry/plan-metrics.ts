import type { Clock, RunStatus } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import type { LastRuns } from '../journal/last-runs.ts'
import type { RunEventListener } from '../lifecycle/events.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import { inSlices } from './in-slices.ts'
import type { Metrics } from './metrics.ts'
import { createPlanStates, isExecution, type PlanState } from './plan-state.ts'
import type { Sample } from './series.ts'

/** What {@link recordPlans} needs. */
export interface RecordPlansOptions {
  readonly metrics: Pick<Metrics, 'computed' | 'beforeRead'>
  readonly clock: Pick<Clock, 'now'> & Pick<RuntimeClock, 'monotonic'>
  /** Those of the configuration in force. */
  plans(): readonly Pick<ResolvedPlan, 'name' | 'budgetMs' | 'maintenance'>[]
  /** Whether the runs of dead processes have been ended: until then history is not asked for. */
  isRecovered(): boolean
  /** What earlier processes did; asked for once per plan, and only when metrics are read. */
  history(plan: string): LastRuns
}

/** `none`: it has never run. */
const phases: readonly ('none' | 'running' | RunStatus)[] = [
  'none',
  'running',
  'succeeded',
  'partial',
  'failed',
  'skipped',
  'aborted',
]

/**
 * Metrics that say how each plan stands: worked out when they are read, so that a thousand idle plans cost nothing, and
 * a plan or a target that is gone is not there any more.
 *
 * @returns takes the events of runs
 */
export function recordPlans({ metrics, clock, plans, isRecovered, history }: RecordPlansOptions): RunEventListener {
  const states = createPlanStates({
    now: () => clock.now(),
    budgetOf: (name) => plans().find((plan) => plan.name === name)?.budgetMs ?? 0,
  })

  metrics.beforeRead(async () => {
    states.keep(new Set(plans().map(({ name }) => name)))
    if (isRecovered()) await inSlices(plans(), clock, ({ name }) => states.restore(name, history))
  })

  const gauge = (
    name: string,
    help: string,
    valueOf: (state: PlanState, plan: { readonly maintenance: boolean }) => number | undefined,
  ): void =>
    metrics.computed(name, help, ['plan'], function* (): Iterable<Sample> {
      for (const plan of plans()) {
        const value = valueOf(states.of(plan.name), plan)
        if (value !== undefined) yield { value, labels: { plan: plan.name } }
      }
    })
  const last = (what: string, of: Parameters<typeof gauge>[2]): void =>
    gauge(`holdfast_run_last_${what}_timestamp_seconds`, `When a run last had its ${what}`, of)

  last('start', ({ startedAt }) => seconds(startedAt))
  last('completion', ({ endedAt }) => seconds(endedAt))
  // A plan that backs nothing up has no backup whose age could matter.
  last('success', ({ succeededAt }, { maintenance }) => (maintenance ? undefined : seconds(succeededAt)))
  last('failure', ({ failedAt }, { maintenance }) => (maintenance ? undefined : seconds(failedAt)))

  const phaseHelp = 'The phase of the newest run: 1 for the one that it is in, 0 for the others'
  metrics.computed('holdfast_run_phase', phaseHelp, ['plan', 'phase'], function* () {
    const running = new Set([...states.running()].filter(({ run }) => isExecution(run)).map(({ run }) => run.plan))
    for (const { name: plan } of plans()) {
      const current = running.has(plan) ? 'running' : (states.of(plan).status ?? 'none')
      for (const phase of phases) yield { value: phase === current ? 1 : 0, labels: { plan, phase } }
    }
  })

  const deadlineHelp = 'When the run that goes on must have ended'
  metrics.computed('holdfast_run_deadline_timestamp_seconds', deadlineHelp, ['plan'], function* () {
    // A plan boots, runs and restores; the earliest deadline is the one that is missed first.
    const earliest = new Map<string, number>()
    for (const { run, deadline } of states.running()) {
      earliest.set(run.plan, Math.min(earliest.get(run.plan) ?? Infinity, deadline.getTime()))
    }
    for (const [plan, at] of earliest) yield { value: at / 1000, labels: { plan } }
  })

  gauge('holdfast_targets_selected', 'Targets that the newest run found', ({ targets }) => targets?.size)
  const ofTargets = (name: string, help: string, key: 'succeededAt' | 'size'): void =>
    metrics.computed(name, help, ['plan', 'target'], function* () {
      for (const { name: plan } of plans()) {
        for (const [target, known] of states.of(plan).targets ?? []) {
          const value = key === 'size' ? known.size : seconds(known.succeededAt)
          if (value !== undefined) yield { value, labels: { plan, target } }
        }
      }
    })
  ofTargets(
    'holdfast_target_last_success_timestamp_seconds',
    'When the target was last backed up, in a way that could be read back',
    'succeededAt',
  )
  ofTargets('holdfast_target_backup_size_bytes', 'Size of the newest backup, before encoding', 'size')

  return states.listen
}

function seconds(at: Date | undefined): number | undefined {
  return at && at.getTime() / 1000
}
