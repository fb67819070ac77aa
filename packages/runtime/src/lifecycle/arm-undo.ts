// Arming is durable before it resolves: only then may the effect happen (DESIGN §4).
import { randomUUID } from 'node:crypto'
import type { ArmedUndo, HoldfastError, Json } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import type { RunCallSite } from './service-context.ts'
import { removeMirrored, runUndo, settledEvent, validInput } from './undo.ts'

/** Arms an undo for the scope of the calling hook. */
export async function armUndo(site: RunCallSite, name: string, input: Json): Promise<ArmedUndo> {
  const { services, participant, run, plan, scope } = site
  const definition = participant.undos.get(name)
  if (!definition) throw errors.UNDO_NOT_REGISTERED({ undo: name, owner: participant.id })
  const text = asJson(name, input)
  // What a new process would read: what doesn't fit then must not be armed now.
  const checked = await validInput(definition, JSON.parse(text))
  const record = {
    id: randomUUID(),
    run: run.id,
    plan: plan.name,
    instance: services.config().instance,
    participant: participant.id,
    undo: name,
    input: text,
    process: services.process.id,
  }
  site.signal.throwIfAborted()
  const notArmed = (reason: string, cause?: unknown): HoldfastError =>
    errors.UNDO_NOT_ARMED({ undo: name, reason }, { cause })
  // Its scope gives nothing back any more.
  if (scope.closed) throw notArmed('the hook that arms it has ended')
  const armedAt = services.clock.monotonic()
  const call = { ...site, id: record.id, definition, input: checked, recovered: false, heldSince: armedAt }
  let settled: Promise<void> | undefined
  const settleBy = (act: () => Promise<void>): Promise<void> => {
    settled ??= act().finally(() => services.heldUndos.delete(record.id))
    // The scope reports it, whether or not anybody waits here.
    settled.catch(() => {})
    return settled
  }
  const fire = (): Promise<void> => settleBy(() => runUndo(call))
  const disarm = async (): Promise<void> => {
    if (settled) return settled
    // Written before it counts: what can't be written stays armed, and runs at the end of its window.
    const disarmed = services.journal.disarmUndo(record.id)
    return settleBy(async () => {
      if (!disarmed) throw errors.UNDO_TAKEN({ undo: name })
      await removeMirrored(services, record.id)
      settledEvent(call, 'disarmed')
    })
  }

  try {
    services.journal.armUndo(record)
  } catch (error) {
    throw notArmed(reasonOf(error), error)
  }
  services.heldUndos.add(record.id)
  scope.add(fire)
  try {
    await services.undoMirror?.put(record)
  } catch (error) {
    await disarm().catch(() => {})
    throw notArmed(reasonOf(error), error)
  }
  if (scope.closed) throw notArmed('the hook that arms it has ended')
  services.emit({ type: 'undo-armed', run, undo: name, participant: participant.id, id: record.id })
  return { fire, disarm, [Symbol.asyncDispose]: fire }
}

function asJson(undo: string, input: unknown): string {
  try {
    return JSON.stringify(input ?? null)
  } catch (error) {
    throw errors.UNDO_INPUT({ undo, reason: reasonOf(error) }, { cause: error })
  }
}
