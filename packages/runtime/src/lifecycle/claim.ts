// A run's claim on its plan's part of the store.
import { formatDuration } from '@holdfast/sdk'
import { claimStore, type StoreClaim } from '../artifacts/owner.ts'
import { errors } from '../errors.ts'
import { reasonOf, toFailure } from '../failure.ts'
import type { Services } from '../services.ts'
import { callWithDeadline } from './call.ts'
import type { RunExecution } from './run.ts'
import { linkSignals } from './signals.ts'

/** Choosing an owner takes a minute or two at the longest. */
export const claimTimeoutMs = 5 * 60_000
/** Freeing is one small write, after a renewal that may be under way. */
const freeTimeoutMs = 2 * 60_000

/**
 * Claims the plan's part of the store for a run, but doesn't wait for ever.
 *
 * @throws HoldfastError `STORE_OWNED`, `STORE_CLAIM_SLOW`, `STORAGE_…`, `HOOK_TIMEOUT`, `HOOK_ABANDONED`
 */
export async function claimFor({ services, plan, run, signal }: RunExecution): Promise<StoreClaim> {
  const { clock, log, journal, process } = services
  let claim: StoreClaim | undefined
  try {
    await callWithDeadline(
      async (deadline) => {
        const made = await claimStore({
          driver: services.store().driver,
          instance: services.config().instance,
          plan: plan.name,
          holder: { stateId: journal.stateId(), podUid: process.pod, host: process.host },
          run: run.id,
          clock,
          log,
          signal: deadline,
        })
        // Left behind meanwhile, it must not be renewed for ever.
        if (deadline.aborted) await freeClaim(services, made)
        else claim = made
      },
      {
        clock,
        where: `claiming the store of plan "${plan.name}"`,
        timeoutMs: claimTimeoutMs,
        parents: [signal],
        hurried: services.shutdown.abandoned,
      },
    )
    return claim as unknown as StoreClaim
  } catch (error) {
    if (claim) await freeClaim(services, claim)
    throw error
  }
}

/**
 * Remembers the store that a run has claimed. One that was used before and knows nothing of it has lost what was in it, which
 * nobody must hear of only when something is to be restored.
 */
export function rememberStore({ services, plan, run, state }: RunExecution, { isFirst }: StoreClaim): void {
  const { journal, log } = services
  const { address } = services.store().driver
  if (address === undefined) return
  if (isFirst && journal.usedStores.has(plan.name, address)) {
    state.storeEmptied = toFailure(errors.STORE_EMPTIED({ plan: plan.name, address }), { run: run.id })
    log.warn(state.storeEmptied.message, { plan: plan.name, run: run.id, error: state.storeEmptied })
  }
  journal.usedStores.add(plan.name, address)
}

/** Removes what earlier runs of the plan left uncommitted in the store: while the claim is held, nobody else writes there. */
export async function sweepLeftovers({ services, plan, run, startedAt }: RunExecution): Promise<void> {
  const { clock, shutdown, log } = services
  if (shutdown.requested.aborted) return
  try {
    await callWithDeadline(
      async (signal) => {
        const removed = await services.store().sweep({ plan: plan.name, before: startedAt, signal })
        if (removed.length > 0)
          log.info('removed what interrupted runs had left in the store', { plan: plan.name, run: run.id, removed })
      },
      {
        clock,
        where: `sweeping the store of plan "${plan.name}"`,
        timeoutMs: claimTimeoutMs,
        parents: [shutdown.requested],
        hurried: shutdown.requested,
      },
    )
  } catch (error) {
    log.warn(`what interrupted runs had left in the store was not removed: ${reasonOf(error)}`, {
      plan: plan.name,
      run: run.id,
      error,
    })
  }
}

/** Frees a claim; a store that hangs keeps no run from its end and no process from stopping, for the claim ends by itself. */
export async function freeClaim({ clock, shutdown, log }: Services, claim: StoreClaim): Promise<void> {
  const tell = (error: unknown): void =>
    log.warn(`the store's owner record could not be freed: ${reasonOf(error)}; it expires by itself`, { error })
  const released = claim.release().catch(tell)
  const late = new Error(`it took longer than ${formatDuration(freeTimeoutMs)}`)
  const over = linkSignals([shutdown.expired], { clock, ms: freeTimeoutMs, reason: () => late })
  await Promise.race([released, whenAborted(over.signal)])
  if (over.signal.reason === late) tell(late)
  over.close()
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
