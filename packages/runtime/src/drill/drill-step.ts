import { formatDuration, isHoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { toFailure, recordFailure } from '../failure.ts'
import { quietly } from '../journal/quietly.ts'
import { callWithDeadline } from '../lifecycle/call.ts'
import type { StepName } from '../lifecycle/events.ts'
import { Scope } from '../lifecycle/scope.ts'
import type { TaskCall } from '../lifecycle/task.ts'
import type { Services } from '../services.ts'

/** One step of a drill. */
export interface DrillStep<T> {
  readonly name: StepName
  /** Who does it: a plugin, or the drill itself. */
  readonly participant: string
  readonly target: string
  readonly timeoutMs: number
  body(call: TaskCall): Promise<T>
  /** What is said when it fails by itself, rather than because it was told to stop. */
  failure(thrown: unknown, signal: AbortSignal): unknown
}

/**
 * Does one step, as a hook of a run is called: within its time, on record, and with everything given back that it has taken.
 *
 * @throws HoldfastError why it failed
 */
export async function doStep<T>(services: Services, call: TaskCall, step: DrillStep<T>): Promise<T> {
  const { clock, journal, emit, shutdown } = services
  const { run } = call
  const { name: hook, participant, target, timeoutMs } = step
  const site = { run, hook, participant, target, attempt: 1 }
  const context = { plugin: participant, hook, target, run: run.id }
  const scope = new Scope(services)
  const began = clock.monotonic()
  const late = (cause: unknown): unknown =>
    errors.DRILL_TIMEOUT({ drill: run.drill ?? '', step: hook, after: formatDuration(timeoutMs) }, { cause })
  const row = quietly(services, () => journal.hookStarted(run.id, hook, participant, target, 1))
  emit({ type: 'hook-started', ...site })
  const values: T[] = []
  let failure: unknown
  try {
    await callWithDeadline(
      async (signal) => {
        try {
          values.push(await step.body({ ...call, signal, scope }))
        } catch (thrown) {
          throw signal.aborted ? thrown : await step.failure(thrown, signal)
        }
      },
      {
        clock,
        where: `${hook} of "${participant}"`,
        timeoutMs,
        parents: [call.signal],
        hurried: shutdown.abandoned,
      },
    )
  } catch (thrown) {
    // The drill's own budget is another matter.
    failure = isHoldfastError(thrown) && thrown.code === 'HOOK_TIMEOUT' && !call.signal.aborted ? late(thrown) : thrown
  }
  for (const stuck of await scope.close()) {
    if (failure === undefined) failure = stuck
    else call.warn(toFailure(stuck, context))
  }
  const error = failure === undefined ? undefined : toFailure(failure, context)
  const record = error && recordFailure(error)
  const durationMs = clock.monotonic() - began
  quietly(services, () => row !== undefined && journal.hookEnded(row, durationMs, record))
  emit({ type: 'hook-ended', ...site, durationMs, error: record })
  if (error) throw error
  return values[0] as T
}
