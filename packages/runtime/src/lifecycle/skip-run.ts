import type { HoldfastError, Outcome, Run } from '@holdfast/sdk'
import { recordFailure } from '../failure.ts'
import { quietly } from '../journal/quietly.ts'
import type { Services } from '../services.ts'

/** Why a run is skipped. */
export interface SkipRunOptions {
  readonly reason: string
  readonly error?: HoldfastError | undefined
  /** Makes room for it in the journal. */
  forget?: (() => void) | undefined
}

/** Records a run that does not happen, and tells of it. */
export function skipRun(services: Services, run: Run, { reason, error, forget }: SkipRunOptions): Outcome {
  const { journal, config, process, emit } = services
  quietly(services, () => {
    journal.beginRun(run, config().instance, process.id)
    journal.endRun(run.id, { status: 'skipped', reason, error: error && recordFailure(error) })
    forget?.()
  })
  const outcome: Outcome = { status: 'skipped', reason, targets: [], ...(error && { error }), warnings: [] }
  emit({ type: 'run-ended', run, outcome, status: 'skipped', durationMs: 0 })
  return outcome
}
