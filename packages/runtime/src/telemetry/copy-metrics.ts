import type { Clock } from '@holdfast/sdk'
import type { RunsOf } from '../journal/last-runs.ts'
import type { RunRecord } from '../journal/records.ts'
import type { RunEventListener } from '../lifecycle/events.ts'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Metrics } from './metrics.ts'
import type { Sample } from './series.ts'

/** What {@link recordCopies} needs. */
export interface RecordCopiesOptions {
  readonly metrics: Pick<Metrics, 'computed' | 'counter' | 'beforeRead'>
  readonly clock: Pick<Clock, 'now'>
  /** Those of the configuration in force. */
  plans(): readonly Pick<ResolvedPlan, 'name' | 'copies'>[]
  /** Whose runs other processes have ended since it was last asked. */
  elsewhere(): readonly RunsOf[]
  /** The newest run of a plan that has ended. */
  newest(plan: string): Pick<RunRecord, 'status' | 'reason' | 'endedAt'> | undefined
}

interface CopyState {
  lacks: number | undefined
  completeAt: Date | undefined
}

/**
 * Metrics of copies. What a copy lacks is known once a run of this process has looked, or one of another process has left
 * nothing out.
 *
 * @returns takes the events of runs
 */
export function recordCopies(options: RecordCopiesOptions): RunEventListener {
  const { metrics, clock, plans, elsewhere, newest } = options
  const states = new Map<string, CopyState>()
  const keyOf = (plan: string, copy: string): string => JSON.stringify([plan, copy])
  const copied = metrics.counter('holdfast_copy_artifacts_total', 'Artifacts by whether a copy took them', [
    'plan',
    'copy',
    'result',
  ])

  const gauge = (name: string, help: string, valueOf: (state: CopyState) => number | undefined): void =>
    metrics.computed(name, help, ['plan', 'copy'], function* (): Iterable<Sample> {
      for (const { name: plan, copies } of plans()) {
        for (const { name: copy } of copies) {
          const state = states.get(keyOf(plan, copy))
          const value = state && valueOf(state)
          if (value !== undefined) yield { value, labels: { plan, copy } }
        }
      }
    })
  gauge('holdfast_copy_missing_artifacts', 'Artifacts that are in the store and not in the copy', ({ lacks }) => lacks)
  gauge(
    'holdfast_copy_last_success_timestamp_seconds',
    'When a run last left nothing out of the copy',
    ({ completeAt }) => completeAt && completeAt.getTime() / 1000,
  )
  metrics.beforeRead(() => {
    const ended = new Set(elsewhere().flatMap((whose) => ('plan' in whose ? [whose.plan] : [])))
    for (const { name: plan, copies } of plans().filter(({ name }) => ended.has(name))) {
      const { status, reason, endedAt } = newest(plan) ?? {}
      // With a reason it was about nothing that could be copied.
      if (status !== 'succeeded' || reason !== undefined) continue
      for (const { name: copy } of copies) states.set(keyOf(plan, copy), { lacks: 0, completeAt: endedAt })
    }
  })
  // Counts begin at 0, so that `increase()` sees the first failure.
  metrics.beforeRead(() => {
    for (const { name: plan, copies } of plans())
      for (const { name: copy } of copies)
        for (const result of ['copied', 'failed']) copied.add(0, { plan, copy, result })
  })

  return (event) => {
    if (event.type !== 'copy-ended') return
    const { run, copy, lacks, error } = event
    const labels = { plan: run.plan, copy }
    const key = keyOf(run.plan, copy)
    copied.add(event.copied, { ...labels, result: 'copied' })
    // One that could not be asked lacks at least what this run has stored.
    copied.add(lacks ?? 1, { ...labels, result: 'failed' })
    const completeAt = error === undefined && lacks === 0 ? clock.now() : states.get(key)?.completeAt
    states.set(key, { lacks: lacks ?? Math.max(1, states.get(key)?.lacks ?? 0), completeAt })
  }
}
