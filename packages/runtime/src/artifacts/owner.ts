import { randomUUID } from 'node:crypto'
import type { Logger, StorageDriver } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { cleanUpMs, renewEveryMs, staleAfterMs, takeTurn } from './bakery.ts'
import { never } from './catalogue.ts'
import { withDeadline } from './deadline.ts'
import { typedDriver } from './objects.ts'
import {
  deleteRecord,
  describeHolder,
  getOthers,
  getRecord,
  holderId,
  putRecord,
  type FoundRecord,
  type OwnerPlace,
  type OwnerRecord,
  type StoreHolder,
} from './owner-record.ts'

export type { StoreHolder } from './owner-record.ts'

/** Options of {@link claimStore}. */
export interface ClaimStoreOptions extends OwnerPlace {
  readonly driver: StorageDriver
  readonly instance: string
  readonly plan: string
  readonly holder: StoreHolder
  /** The run's id, for those who find the store taken. */
  readonly run: string
  readonly clock: RuntimeClock
  readonly log: Pick<Logger, 'info' | 'warn'>
  /** Gives up claiming. */
  readonly signal?: AbortSignal | undefined
}

/** A plan's part of the store, ours for now. */
export interface StoreClaim {
  /** Whether nobody had left a record there: the plan has never used this store, or it is not what it was. */
  readonly isFirst: boolean
  /** Aborts with `STORE_LOST` when another holder took the store over, which it may when ours wasn't renewed for long. */
  readonly lost: AbortSignal
  /**
   * Frees the store; does nothing when it was lost, or the second time.
   *
   * @throws HoldfastError `STORAGE_…`: then the claim ends by itself after five minutes
   */
  release(): Promise<void>
}

/**
 * Claims a plan's part of the store for a run, and renews the claim every minute until it is released. Of several that
 * try at the same time exactly one succeeds. A record of another holder that is old or free is taken over, which is
 * logged.
 *
 * @throws HoldfastError `STORE_OWNED`, `STORE_CLAIM_SLOW`, `STORAGE_…`
 */
export async function claimStore(options: ClaimStoreOptions): Promise<StoreClaim> {
  const { holder, run, clock, log, signal = never } = options
  const place: OwnerPlace = { driver: typedDriver(options.driver), instance: options.instance, plan: options.plan }
  const base = { schema: 1, holder, run, claim: randomUUID() } as const
  const own = holderId(holder)
  const isFirst = !(await getRecord(place, own, signal)) && (await getOthers(place, own, signal)).size === 0
  const { record, gone } = await takeTurn(place, base, clock, signal)
  const took = [...gone.values()].flatMap((found) =>
    found.record === undefined || found.record.phase === 'free' ? [] : [found.record.claim],
  )
  // Before the old record goes: whoever it belongs to must be able to read what happened.
  const claimed = took.length === 0 ? record : { ...record, took, at: clock.now().toISOString() }
  try {
    if (claimed !== record) await putRecord(place, claimed, signal)
    for (const [id, found] of gone) {
      tellTakeover(options, found)
      await deleteRecord(place, id, signal)
    }
  } catch (error) {
    await withDeadline(clock, cleanUpMs, (fresh) => deleteRecord(place, own, fresh)).catch(() => {})
    throw error
  }
  return { ...keep(place, claimed, { clock, log }), isFirst }
}

function tellTakeover({ plan, holder, log }: ClaimStoreOptions, { record }: FoundRecord): void {
  const fields = { plan, run: record?.run, lastSeen: record?.at }
  const owner = record ? describeHolder(record.holder) : 'another version of Holdfast'
  const message =
    record?.phase === 'free'
      ? `the store of plan "${plan}" was last used by ${owner}; if that is another installation, give it an instance name of its own`
      : `the store of plan "${plan}" is taken over from ${owner}, which has not been seen since ${record?.at ?? 'an unknown time'}`
  // A pod's state that moved to the next pod is no surprise.
  if (record?.phase === 'free' && record.holder.stateId === holder.stateId) log.info(message, fields)
  else log.warn(message, fields)
}

function keep(
  place: OwnerPlace,
  claimed: OwnerRecord,
  { clock, log }: Pick<ClaimStoreOptions, 'clock' | 'log'>,
): Omit<StoreClaim, 'isFirst'> {
  const { plan } = place
  const own = holderId(claimed.holder)
  const lost = new AbortController()
  let renewed = { wall: Date.parse(claimed.at), monotonic: clock.monotonic() }
  let stopped = false
  let renewing: Promise<void> = Promise.resolve()
  let cancel = (): void => {}

  const lose = (owner: string): void => {
    if (stopped) return
    stopped = true
    lost.abort(errors.STORE_LOST({ plan, owner }))
  }
  const renew = async (signal: AbortSignal): Promise<void> => {
    const mine = await getRecord(place, own, signal)
    if (mine?.record?.claim !== claimed.claim) {
      const taker = [...(await getOthers(place, own, signal)).values()].find(
        ({ record }) => record?.phase === 'claimed',
      )
      return lose(taker?.record ? describeHolder(taker.record.holder) : 'somebody who is gone already')
    }
    const now = { wall: clock.now().getTime(), monotonic: clock.monotonic() }
    const late =
      now.wall - renewed.wall > staleAfterMs - renewEveryMs ||
      now.monotonic - renewed.monotonic > staleAfterMs - renewEveryMs
    if (stopped) return
    await putRecord(place, { ...claimed, at: new Date(now.wall).toISOString() }, signal)
    renewed = now
    for (const { record } of (await getOthers(place, own, signal)).values()) {
      if (!record || record.phase === 'free') continue
      // After a long pause whoever is there at all may have seen us as dead.
      if (record.took.includes(claimed.claim) || late) return lose(describeHolder(record.holder))
    }
  }
  const renewOrTell = async (): Promise<void> => {
    try {
      await withDeadline(clock, renewEveryMs, renew)
    } catch (error) {
      log.warn(`the claim of plan "${plan}" on its store could not be renewed: ${reasonOf(error)}`, { error })
    }
    if (!stopped) schedule()
  }
  const schedule = (): void => {
    cancel = clock.setTimer(renewEveryMs, () => {
      renewing = renewOrTell()
    })
  }
  schedule()

  return {
    lost: lost.signal,
    async release() {
      if (stopped) return
      stopped = true
      cancel()
      await renewing
      const free: OwnerRecord = { ...claimed, phase: 'free', number: 0, took: [], at: clock.now().toISOString() }
      await withDeadline(clock, cleanUpMs, (signal) => putRecord(place, free, signal))
    },
  }
}
