// Runs that died with their process: they are ended, and their observers called (DESIGN §4e).
import type { Outcome, RunTrigger, TargetOutcome } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { recordFailure } from '../failure.ts'
import { observeRecovered } from '../lifecycle/execute.ts'
import { observerKey } from '../lifecycle/run.ts'
import type { Services } from '../services.ts'
import { countRun } from '../telemetry/run-metrics.ts'
import type { Journal } from './journal.ts'
import { livenessLookup } from './process.ts'
import { runOf, type RunRecord } from './records.ts'

/** Runs of one task: nobody is called at their end, so nobody is after a crash. */
const unobserved: ReadonlySet<RunTrigger> = new Set(['restore', 'command'])

/**
 * Marks the runs of dead processes as aborted. Their observers are called later, once dependencies are installed.
 */
export function abortInterrupted(services: Services): readonly RunRecord[] {
  const { journal, log } = services
  const liveness = livenessLookup(services)
  const interrupted = journal.openRuns().filter((run) => run.endedAt === undefined && liveness(run.process) === 'gone')
  for (const run of interrupted) {
    const error = recordFailure(errors.RUN_ABORTED({ reason: 'the process ended in the middle of it' }))
    journal.endRun(run.id, { status: 'aborted', error, observersDue: !unobserved.has(run.trigger) })
    if (!run.dryRun) countRun(services.meter, run, 'aborted')
    log.warn(`a run of plan "${run.plan}" was interrupted; it is recorded as aborted`, { plan: run.plan, run: run.id })
  }
  return interrupted
}

/** Calls onError and onFinish of dead processes' runs, where theirs were not called yet; at most once each. */
export async function observeInterrupted(services: Services): Promise<void> {
  const { journal } = services
  const liveness = livenessLookup(services)
  for (const record of journal.openRuns()) {
    if (!record.observersDue || liveness(record.process) !== 'gone') continue
    const plan = services.config().plans.find(({ name }) => name === record.plan)
    if (!plan || record.dryRun) {
      journal.observersCalled(record.id)
      continue
    }
    const called = new Set(journal.hooks(record.id).map(observerKey))
    await observeRecovered(services, plan, runOf(record), { outcome: recordedOutcome(journal, record), called })
  }
}

/** An outcome as far as the journal has it. */
function recordedOutcome(journal: Journal, { id, status, reason, error, warnings }: RunRecord): Outcome {
  const targets = journal.targets(id).map(({ target, ...ended }): TargetOutcome => ({
    ...ended,
    target: { id: target, labels: {}, data: null },
    points: [],
  }))
  return { status: status ?? 'aborted', reason, targets, error, warnings }
}
