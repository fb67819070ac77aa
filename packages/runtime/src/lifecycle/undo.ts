// Undo: what is taken must be given back, even after kill -9 (DESIGN §4). An undo is claimed before it is tried, so that
// two processes never run it at once.
import {
  isHoldfastError,
  parseDuration,
  type HoldfastError,
  type Json,
  type Run,
  type UndoContext,
  type UndoDefinition,
  type Vars,
} from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf, recordFailure } from '../failure.ts'
import { issuesText } from '../issues.ts'
import type { MirrorStanding, UndoMirror } from '../journal/undo-mirror.ts'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { createBegunWork, settled } from './begun-work.ts'
import { callWithDeadline } from './call.ts'
import { serviceContext } from './service-context.ts'
import { Scope } from './scope.ts'

/** Between attempts of an undo. */
export const undoBackoffMs = { first: 250, longest: 10_000 }
/** An attempt that had less than this was cut short by the deadline of its undo: it says nothing about why that fails. */
const cutShortMs = 1000
/** How long removing an undo's second home may take; what can't be removed now is removed later. */
const removeMirroredMs = 10_000

/** What {@link runUndo} needs to know. */
export interface UndoCall {
  readonly services: Services
  readonly plan: ResolvedPlan
  readonly participant: Participant
  readonly run: Run
  readonly vars: Vars
  readonly id: string
  readonly definition: UndoDefinition<Json>
  readonly input: Json
  /** True when the process that armed it is gone. */
  readonly recovered: boolean
  /** The process that was firing it when it died. */
  readonly takenFrom?: string | undefined
  /** Attempts before this call. */
  readonly attempts?: number | undefined
  /** Monotonic time of arming. */
  readonly heldSince: number
  /** One attempt only, with so many milliseconds: recovery tries everything once before it insists. */
  readonly onceWithinMs?: number | undefined
}

/**
 * Runs an undo and retries it to its deadline, on a reserve of its own: never on the run's signal, which may long be
 * aborted.
 *
 * @throws HoldfastError `UNDO_FAILED` (it stays pending) or `UNDO_TAKEN`
 */
export async function runUndo(call: UndoCall): Promise<void> {
  const { services, run, definition, attempts = 0 } = call
  const { clock, shutdown } = services
  const deadline = clock.monotonic() + (call.onceWithinMs ?? parseDuration(definition.deadline))
  let pause: number = undoBackoffMs.first
  let before: Error | undefined
  for (let count = 1; ; count++) {
    const state = await claim(call)
    if (state === 'settled') return
    if (state === 'taken') {
      settledEvent(call, 'taken')
      throw errors.UNDO_TAKEN({ undo: definition.name })
    }
    const timeoutMs = Math.max(deadline - clock.monotonic(), 1)
    const failed = await attempt(call, attempts + count, timeoutMs)
    if (failed === undefined) {
      await settle(call)
      return
    }
    const failure: Error = timeoutMs < cutShortMs && isTimeout(failed) ? (before ?? failed) : failed
    before = failure
    release(call, failure)
    services.log.warn(`undo "${definition.name}" failed: ${failure.message}`, {
      plan: run.plan,
      run: run.id,
      error: failure,
    })
    const left = deadline - clock.monotonic()
    if (call.onceWithinMs !== undefined || left <= 0 || shutdown.expired.aborted) {
      const error = errors.UNDO_FAILED({ undo: definition.name, reason: reasonOf(failure) }, { cause: failure })
      settledEvent(call, 'failed', error)
      throw error
    }
    await clock.sleep(Math.min(pause, left), shutdown.expired).catch(() => {})
    pause = Math.min(pause * 2, undoBackoffMs.longest)
  }
}

/** The definition's view of an input, or what it has against it. */
export async function checkInput(
  definition: UndoDefinition<Json>,
  input: unknown,
): Promise<{ readonly value: Json } | { readonly reason: string }> {
  const result = await definition.input['~standard'].validate(input)
  return result.issues ? { reason: issuesText(result.issues) } : { value: result.value }
}

/**
 * The definition's view of a stored input.
 *
 * @throws HoldfastError `UNDO_INPUT`
 */
export async function validInput(definition: UndoDefinition<Json>, input: unknown): Promise<Json> {
  const checked = await checkInput(definition, input)
  if ('reason' in checked) throw errors.UNDO_INPUT({ undo: definition.name, reason: checked.reason })
  return checked.value
}

async function attempt(call: UndoCall, number: number, timeoutMs: number): Promise<Error | undefined> {
  const { services, definition, input, run, vars, recovered } = call
  const scope = new Scope(services)
  try {
    await callWithDeadline(
      (signal) => {
        const log = services.log.child({
          plan: run.plan,
          run: run.id,
          plugin: call.participant.id,
          undo: definition.name,
        })
        const warn = (failure: unknown): void => log.warn(reasonOf(failure), { error: failure })
        const begun = createBegunWork(services, { signal, scope, warn })
        const base = serviceContext({ ...call, hook: 'undo', signal, scope, begun }, log)
        const ctx: UndoContext = Object.defineProperties(base, {
          run: { value: run, enumerable: true },
          vars: { value: vars, enumerable: true },
          attempt: { value: number, enumerable: true },
          recovered: { value: recovered, enumerable: true },
        }) as UndoContext
        return settled(begun, () => definition.run(input, ctx))
      },
      {
        clock: services.clock,
        where: `undo "${definition.name}"`,
        timeoutMs,
        parents: [services.shutdown.expired],
        hurried: services.shutdown.expired,
      },
    )
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    await scope.close()
  }
}

function isTimeout(error: Error): boolean {
  return isHoldfastError(error) && error.code === 'HOOK_TIMEOUT'
}

/** A claim that can't be written must not keep anything frozen: only a claim that was refused does. */
async function claim(call: UndoCall): Promise<'ours' | 'taken' | 'settled'> {
  const { services, id, takenFrom } = call
  const { journal, process } = services
  let claimed = false
  try {
    claimed = journal.claimUndo(id, process.id, takenFrom)
    const now = claimed ? undefined : journal.undo(id)
    if (now) return now.state === 'disarmed' || now.state === 'dropped' ? 'settled' : 'taken'
  } catch (error) {
    services.log.error(`the journal could not be written: ${reasonOf(error)}; the undo runs all the same`, { error })
  }
  const standing = await standingInMirror(call)
  if (standing === 'ours') return 'ours'
  if (claimed) settleTaken(call, standing)
  return 'taken'
}

/** Another pod may have taken us for dead, or look after the same dead one. Never waits long. */
async function standingInMirror({ services, id, recovered }: UndoCall): Promise<MirrorStanding> {
  const { undoMirror } = services
  if (!undoMirror) return 'ours'
  return recovered ? undoMirror.claim(id, { from: 'journal' }) : undoMirror.standing(id)
}

/** What another pod has run is done; what it is running stays ours to look after, should it die. */
function settleTaken({ services, id }: Pick<UndoCall, 'services' | 'id'>, standing: MirrorStanding): void {
  try {
    services.journal.settleUndo(id, standing === 'done' ? 'done' : 'armed', 'another pod took it over')
  } catch (error) {
    services.log.error(`the journal could not be written: ${reasonOf(error)}`, { error })
  }
}

function release(call: UndoCall, failure: Error): void {
  try {
    call.services.journal.settleUndo(call.id, 'armed', reasonOf(failure))
  } catch (error) {
    call.services.log.error(`the journal could not be written: ${reasonOf(error)}`, { error })
  }
}

async function settle(call: UndoCall): Promise<void> {
  const { services, id, definition } = call
  try {
    services.journal.settleUndo(id, 'done')
  } catch (error) {
    // It ran; at worst it runs again at the next start.
    services.log.error(
      `the journal could not be written: ${reasonOf(error)}; "${definition.name}" will run once more`,
      { error },
    )
  }
  try {
    // Others that are still held may be waiting behind this one.
    await removeMirrored(services, id, { isUrgent: true })
  } catch (error) {
    services.log.warn(
      `the record of "${definition.name}" in the cluster could not be removed: ${reasonOf(error)}; that is done later`,
      { error },
    )
  }
  settledEvent(call, 'done')
}

/** Removes an undo's second home. */
export async function removeMirrored(
  { undoMirror, clock, shutdown }: Services,
  id: string,
  options: Parameters<UndoMirror['remove']>[1] = {},
): Promise<void> {
  if (!undoMirror) return
  await callWithDeadline(() => undoMirror.remove(id, options), {
    clock,
    where: 'removing the second record of an undo',
    timeoutMs: removeMirroredMs,
    parents: [shutdown.expired],
    hurried: shutdown.expired,
  })
}

/** Tells what became of an undo. */
export function settledEvent(
  { services, run, participant, id, definition, recovered, heldSince }: UndoCall,
  result: 'done' | 'failed' | 'disarmed' | 'taken',
  error?: HoldfastError,
): void {
  services.emit({
    type: 'undo-settled',
    run,
    undo: definition.name,
    participant: participant.id,
    id,
    result,
    recovered,
    heldMs: services.clock.monotonic() - heldSince,
    error: error && recordFailure(error),
  })
}
