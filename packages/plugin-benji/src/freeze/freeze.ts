import { randomUUID } from 'node:crypto'
import { formatDuration, isHoldfastError, type ContainerRef, type RunContext } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { freezeMetrics } from './freeze-metrics.ts'
import type { FrozenFilesystem } from './frozen.ts'
import { openFreezeSession, type FreezeSession } from './session.ts'
import { thawCommand, thawUndo, whereOf, type ThawInput } from './thaw-undo.ts'

/** Options of {@link freezeFilesystem}. */
export interface FreezeFilesystemOptions {
  readonly agent: ContainerRef
  /** What its thaw needs to know. */
  readonly place: Omit<ThawInput, 'token' | 'since'>
  /** Of its dead-man timer. */
  readonly limitMs: number
}

/**
 * Freezes a filesystem, with its undo armed before.
 *
 * @throws HoldfastError `FREEZE_FAILED`, when all is thawed again or its undo is pending; `UNDO_NOT_ARMED`
 */
export async function freezeFilesystem(
  ctx: RunContext<unknown>,
  { agent, place, limitMs }: FreezeFilesystemOptions,
): Promise<FrozenFilesystem> {
  const { log } = ctx
  const where = whereOf(place)
  const command = thawCommand(place)
  const metrics = freezeMetrics(ctx.meter, place.claim)
  const token = randomUUID()
  const since = ctx.clock.now()
  const undo = await ctx.undo.arm(thawUndo, { ...place, token, since: since.getTime() })
  // Writers wait from the first moment of a freeze on, and it may take long.
  metrics.frozen(since)
  let session: FreezeSession | undefined

  /** Both ways at once: the session may hear nothing any more, or be all that is needed. @returns why it is still frozen */
  const giveBack = async (): Promise<unknown> => {
    const [fired] = await Promise.allSettled([undo.fire(), session?.[Symbol.asyncDispose]()])
    if (fired.status === 'fulfilled') return undefined
    // Somebody else has thawed it, or is about to, and says so.
    if (isHoldfastError(fired.reason) && fired.reason.code === 'UNDO_TAKEN') throw fired.reason
    return fired.reason
  }

  try {
    session = await openFreezeSession({ exec: ctx.exec, agent, place: { ...place, token }, limitMs })
    await session.frozen
  } catch (error) {
    const failure = await giveBack()
    if (failure !== undefined) log.error(`${where} may still be frozen: ${reasonOf(failure)}`, { error: failure })
    throw errors.FREEZE_FAILED({ where, reason: reasonOf(error), command }, { cause: error })
  }
  const held = session
  // Without it, the end of the hook would find it waiting for a word.
  ctx.defer(`the freeze of ${where}`, () => held[Symbol.asyncDispose]())
  log.info(`froze ${where}`, { token })

  const thawAndProve = async (): Promise<{ readonly frozenMs: number }> => {
    let frozenMs: number
    try {
      frozenMs = await held.thaw()
    } catch (error) {
      const failure = await giveBack()
      if (failure !== undefined) {
        throw errors.THAW_FAILED({ where, reason: reasonOf(failure), command }, { cause: failure })
      }
      throw errors.FREEZE_LOST({ where, reason: reasonOf(error), limit: formatDuration(limitMs) }, { cause: error })
    }
    metrics.thawed()
    metrics.took(frozenMs)
    log.info(`thawed ${where} after ${frozenMs} ms`, { token })
    try {
      await undo.disarm()
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'UNDO_TAKEN') throw error
      // It fires at the end of the hook then, and finds nothing frozen.
      log.warn(`the undo of the freeze of ${where} stays armed: ${reasonOf(error)}`, { error })
    }
    return { frozenMs }
  }
  let thawed: ReturnType<typeof thawAndProve> | undefined
  return { thaw: () => (thawed ??= thawAndProve()) }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
