// Arming is durable before it resolves: only then may the effect happen (DESIGN §4).
import { randomUUID } from 'node:crypto'
import type { ArmedUndo, HoldfastError, Json } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { readMirroredVars } from '../journal/mirrored-vars.ts'
import type { RunCallSite } from './service-context.ts'
import { checkInput, removeMirrored, runUndo, settledEvent } from './undo.ts'

/** Arms an undo for the scope of the calling hook. */
export async function armUndo(site: RunCallSite, name: string, input: Json): Promise<ArmedUndo> {
  const { services, participant, run, plan, scope } = site
  const definition = participant.undos.get(name)
  if (!definition) throw errors.UNDO_NOT_REGISTERED({ undo: name, owner: participant.id })
  const refused = (reason: string, cause?: unknown): HoldfastError =>
    errors.UNDO_INPUT_REFUSED({ undo: name, owner: participant.id, reason }, { cause })
  const text = asJson(input, refused)
  // What a new process would read: what doesn't fit then must not be armed now.
  const checked = await checkInput(definition, JSON.parse(text))
  if ('reason' in checked) throw refused(checked.reason)
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
  const heldSince = services.clock.monotonic()
  const armedAt = services.clock.now()
  const call = { ...site, id: record.id, definition, input: checked.value, recovered: false, heldSince }
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
    // Written before it counts: what can't be written stays armed, and runs at the end of its window. The cluster first:
    // what is disarmed in the journal alone would be run by the next pod, although it is meant to stay.
    await removeMirrored(services, record.id)
    const taken = services.undoMirror !== undefined && (await services.undoMirror.standing(record.id)) !== 'ours'
    if (settled) return settled
    const disarmed = services.journal.disarmUndo(record.id)
    return settleBy(async () => {
      if (!disarmed || taken) throw errors.UNDO_TAKEN({ undo: name })
      settledEvent(call, 'disarmed')
    })
  }

  /** The effect never happened, so nothing is to be given back; whether the cluster has it nobody knows. */
  const forget = async (): Promise<void> => {
    try {
      if (settled || !services.journal.disarmUndo(record.id)) return
      await settleBy(async () => {})
      await removeMirrored(services, record.id)
    } catch (error) {
      services.log.debug(`an undo that was not armed is still on record: ${reasonOf(error)}`, { error })
    }
  }

  try {
    services.journal.armUndo(record)
  } catch (error) {
    throw notArmed(reasonOf(error), error)
  }
  services.heldUndos.add(record.id)
  scope.add(fire)
  try {
    await services.undoMirror?.put({
      undo: { ...record, armedAt },
      run,
      runStartedAt: site.startedAt,
      vars: readMirroredVars(site.vars.directory),
      owner: services.process,
    })
  } catch (error) {
    await forget()
    throw notArmed(reasonOf(error), error)
  }
  if (scope.closed) throw notArmed('the hook that arms it has ended')
  services.emit({ type: 'undo-armed', run, undo: name, participant: participant.id, id: record.id })
  return { fire, disarm, [Symbol.asyncDispose]: fire }
}

function asJson(input: unknown, refused: (reason: string, cause?: unknown) => HoldfastError): string {
  let text: string | undefined
  try {
    text = JSON.stringify(input ?? null) as string | undefined
  } catch (error) {
    throw refused(reasonOf(error), error)
  }
  if (text === undefined) throw refused(`it is a ${typeof input}`)
  return text
}
