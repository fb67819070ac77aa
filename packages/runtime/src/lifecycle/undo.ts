// Undo: what is taken must be given back, even after kill -9 (DESIGN §4). Arming is durable before it resolves; an
// undo is claimed before it is tried, so that two processes never run it at once.
import { randomUUID } from 'node:crypto'
import {
  parseDuration,
  type ArmedUndo,
  type HoldfastError,
  type Json,
  type Run,
  type UndoContext,
  type UndoDefinition,
  type Vars,
} from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf, recordFailure } from '../failure.ts'
import type { UndoRecord } from '../journal/records.ts'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { callWithDeadline } from './call.ts'
import { serviceContext, type RunCallSite } from './service-context.ts'
import { Scope } from './scope.ts'
import { workspaceName } from './workspaces.ts'

const backoffMs = { first: 250, longest: 10_000 }

/** Arms an undo for the scope of the calling hook. */
export async function armUndo(site: RunCallSite, name: string, input: Json): Promise<ArmedUndo> {
  const { services, participant, run, plan, scope } = site
  const definition = participant.undos.get(name)
  if (!definition) throw errors.UNDO_NOT_REGISTERED({ undo: name, owner: participant.id })
  const checked = await validInput(definition, input)
  const record = {
    id: randomUUID(),
    run: run.id,
    plan: plan.name,
    instance: services.config().instance,
    participant: participant.id,
    undo: name,
    input: JSON.stringify(checked ?? null),
    process: services.process.id,
  }
  site.signal.throwIfAborted()
  try {
    services.journal.armUndo(record)
    await services.undoMirror?.put(record)
  } catch (error) {
    throw errors.UNDO_NOT_ARMED({ undo: name, reason: reasonOf(error) }, { cause: error })
  }
  services.emit({ type: 'undo-armed', run, undo: name, participant: participant.id, id: record.id })
  const armedAt = services.clock.monotonic()

  let settled: Promise<void> | undefined
  const fire = (): Promise<void> =>
    (settled ??= runUndo({ ...site, id: record.id, definition, input: checked, recovered: false, heldSince: armedAt }))
  const disarm = (): Promise<void> =>
    (settled ??= (async () => {
      const now = services.journal.undo(record.id)
      if (now?.state === 'armed') services.journal.settleUndo(record.id, 'disarmed')
      else if (now?.state !== 'disarmed') throw errors.UNDO_TAKEN({ undo: name })
      await services.undoMirror?.remove(record.id)
      settledEvent(site, record.id, name, 'disarmed', false, armedAt)
    })())
  scope.add(fire)
  return { fire, disarm, [Symbol.asyncDispose]: fire }
}

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
  /** Monotonic time of arming. */
  readonly heldSince: number
  /** One attempt only: recovery tries everything once before it insists. */
  readonly once?: boolean | undefined
}

/**
 * Runs an undo and retries it to its deadline, on a reserve of its own: never on the run's signal, which may long be
 * aborted.
 *
 * @throws HoldfastError `UNDO_FAILED` (it stays pending) or `UNDO_TAKEN`
 */
export async function runUndo(call: UndoCall): Promise<void> {
  const { services, run, definition, id } = call
  const { clock, journal, shutdown } = services
  const deadline = clock.monotonic() + parseDuration(definition.deadline)
  let pause = backoffMs.first
  for (;;) {
    if (!claim(call)) {
      const now = journal.undo(id)
      if (now?.state === 'disarmed' || now?.state === 'dropped') return
      settledEvent(call, id, definition.name, 'taken', call.recovered, call.heldSince)
      throw errors.UNDO_TAKEN({ undo: definition.name })
    }
    const failure = await attempt(call, Math.max(deadline - clock.monotonic(), 1))
    if (failure === undefined) {
      await settle(call)
      return
    }
    release(call, failure)
    services.log.warn(`undo "${definition.name}" failed: ${failure.message}`, {
      plan: run.plan,
      run: run.id,
      error: failure,
    })
    const left = deadline - clock.monotonic()
    if (call.once === true || left <= 0 || shutdown.expired.aborted) {
      const error = errors.UNDO_FAILED({ undo: definition.name, reason: reasonOf(failure) }, { cause: failure })
      settledEvent(call, id, definition.name, 'failed', call.recovered, call.heldSince, error)
      throw error
    }
    await clock.sleep(Math.min(pause, left), shutdown.expired).catch(() => {})
    pause = Math.min(pause * 2, backoffMs.longest)
  }
}

/** The definition's view of a stored input. */
export async function validInput(definition: UndoDefinition<Json>, input: unknown): Promise<Json> {
  const result = await definition.input['~standard'].validate(input)
  if (result.issues) {
    throw errors.UNDO_INPUT({ undo: definition.name, reason: result.issues.map(({ message }) => message).join('; ') })
  }
  return result.value
}

async function attempt(call: UndoCall, timeoutMs: number): Promise<Error | undefined> {
  const { services, definition, input, run, vars, recovered, id } = call
  const scope = new Scope(() => workspaceName(services))
  try {
    await callWithDeadline(
      (signal) => {
        const log = services.log.child({
          plan: run.plan,
          run: run.id,
          plugin: call.participant.id,
          undo: definition.name,
        })
        const base = serviceContext({ ...call, hook: 'undo', signal, scope }, log)
        const attempts = services.journal.undo(id)?.attempts ?? 1
        const ctx: UndoContext = Object.defineProperties(base, {
          run: { value: run, enumerable: true },
          vars: { value: vars, enumerable: true },
          attempt: { value: attempts, enumerable: true },
          recovered: { value: recovered, enumerable: true },
        }) as UndoContext
        return definition.run(input, ctx)
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

/** A claim that can't be written must not keep anything frozen: only a claim that was refused does. */
function claim(call: UndoCall): boolean {
  try {
    return call.services.journal.claimUndo(call.id, call.services.process.id, call.takenFrom)
  } catch (error) {
    call.services.log.error(`the journal could not be written: ${reasonOf(error)}; the undo runs all the same`, {
      error,
    })
    return true
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
    await services.undoMirror?.remove(id)
  } catch (error) {
    // It ran; at worst it runs again at the next start.
    services.log.error(
      `the journal could not be written: ${reasonOf(error)}; "${definition.name}" will run once more`,
      { error },
    )
  }
  settledEvent(call, id, definition.name, 'done', call.recovered, call.heldSince)
}

function settledEvent(
  site: Pick<UndoCall, 'services' | 'run' | 'participant'>,
  id: UndoRecord['id'],
  undo: string,
  result: 'done' | 'failed' | 'disarmed' | 'taken',
  recovered: boolean,
  heldSince: number,
  error?: HoldfastError,
): void {
  site.services.emit({
    type: 'undo-settled',
    run: site.run,
    undo,
    participant: site.participant.id,
    id,
    result,
    recovered,
    heldMs: site.services.clock.monotonic() - heldSince,
    error: error && recordFailure(error),
  })
}
