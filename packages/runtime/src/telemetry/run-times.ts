import type { RunStatus } from '@holdfast/sdk'
import type { Metrics } from './metrics.ts'
import type { PlanState, PlanStates } from './plan-state.ts'
import type { Sample } from './series.ts'

/** What {@link recordRunTimes} needs. */
export interface RecordRunTimesOptions {
  readonly metrics: Pick<Metrics, 'computed'>
  readonly states: PlanStates
  /** The beginning of every name: `holdfast_run`. */
  readonly prefix: string
  /** The label that says whose. */
  readonly label: 'plan' | 'drill'
  /** Those of the configuration in force; `isAgeless`: when it last succeeded is of no interest. */
  names(): readonly { readonly name: string; readonly isAgeless: boolean }[]
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

const lastHelps = {
  start: 'When a run last began',
  completion: 'When a run last ended, in whatever way',
  success: 'When a run last succeeded',
  failure: 'When a run last was partial, failed or aborted',
}

/** Metrics that say when each plan, or drill, last ran, and how it stands: worked out when they are read. */
export function recordRunTimes({ metrics, states, prefix, label, names }: RecordRunTimesOptions): void {
  const last = (what: keyof typeof lastHelps, of: (state: PlanState, isAgeless: boolean) => Date | undefined): void =>
    metrics.computed(
      `${prefix}_last_${what}_timestamp_seconds`,
      lastHelps[what],
      [label],
      function* (): Iterable<Sample> {
        for (const { name, isAgeless } of names()) {
          const at = of(states.of(name), isAgeless)
          if (at) yield { value: at.getTime() / 1000, labels: { [label]: name } }
        }
      },
    )

  last('start', ({ startedAt }) => startedAt)
  last('completion', ({ endedAt }) => endedAt)
  last('success', ({ succeededAt }, isAgeless) => (isAgeless ? undefined : succeededAt))
  last('failure', ({ failedAt }, isAgeless) => (isAgeless ? undefined : failedAt))

  const phaseHelp = 'The phase of the newest run: 1 for the one that it is in, 0 for the others'
  metrics.computed(`${prefix}_phase`, phaseHelp, [label, 'phase'], function* () {
    const running = states.executing()
    for (const { name } of names()) {
      const current = running.has(name) ? 'running' : (states.of(name).status ?? 'none')
      for (const phase of phases) yield { value: phase === current ? 1 : 0, labels: { [label]: name, phase } }
    }
  })

  const deadlineHelp = 'When the run that goes on must have ended'
  metrics.computed(`${prefix}_deadline_timestamp_seconds`, deadlineHelp, [label], function* () {
    // A plan boots, runs and restores; the earliest deadline is the one that is missed first.
    const earliest = new Map<string, number>()
    for (const { name, deadline } of states.running()) {
      earliest.set(name, Math.min(earliest.get(name) ?? Infinity, deadline.getTime()))
    }
    for (const [name, at] of earliest) yield { value: at / 1000, labels: { [label]: name } }
  })
}
