// Lamport's bakery algorithm over one object per holder. A store can do no more than put, get, list and delete with
// strong consistency, and that is all it needs: no lock, no conditional write. A claimant says that it is choosing, takes
// a number above all others, and then looks at everybody else: whoever has the smallest number, ties broken by the
// holder's id, has the store. The loser doesn't wait for its turn, it gives up.
//
// A claimant that died is told from a slow one by time. Somebody else's clock may be wrong, so what decides is how long a
// record was seen unchanged, except where both clocks agree that it is old.
import { formatDuration } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import { withDeadline } from './deadline.ts'
import {
  deleteRecord,
  describeHolder,
  getOthers,
  holderId,
  putRecord,
  type FoundRecord,
  type OwnerPlace,
  type OwnerRecord,
} from './owner-record.ts'

/** How often a claim is renewed. */
export const renewEveryMs = 60_000
/** A claim that wasn't renewed for so long is anybody's. */
export const staleAfterMs = 5 * 60_000
/** Choosing takes two small writes; who needs longer starts again, so that nobody need wait longer for anybody. */
const longestChoosingMs = 5_000
const patienceMs = {
  /** For somebody who is choosing; must be well above {@link longestChoosingMs}. */
  choosing: 20_000,
  /** For a record whose age can't be told; must be well above {@link renewEveryMs}. */
  undated: 150_000,
} as const
const pollEveryMs = 200
/** How long one write that must still happen may take. */
export const cleanUpMs = 30_000
const attempts = 3

/** Records that are nobody's any more. */
export interface Won {
  readonly record: OwnerRecord
  /** By holder. */
  readonly gone: ReadonlyMap<string, FoundRecord>
}

/**
 * Takes part once.
 *
 * @param base - the claimant's record, without phase, number and time
 * @throws HoldfastError `STORE_OWNED`, `STORE_CLAIM_SLOW`, `STORAGE_…`; the claimant's record is gone then
 */
export async function takeTurn(
  place: OwnerPlace,
  base: Omit<OwnerRecord, 'phase' | 'number' | 'at' | 'took'>,
  clock: RuntimeClock,
  signal: AbortSignal,
): Promise<Won> {
  const own = holderId(base.holder)
  try {
    const record = await takeNumber(place, base, clock, signal)
    return { record, gone: await outlast(place, record, clock, signal) }
  } catch (error) {
    // Whoever gave up must not be in anybody's way; if it can't be removed, it becomes old.
    await withDeadline(clock, cleanUpMs, (fresh) => deleteRecord(place, own, fresh)).catch(() => {})
    throw error
  }
}

async function takeNumber(
  place: OwnerPlace,
  base: Omit<OwnerRecord, 'phase' | 'number' | 'at' | 'took'>,
  clock: RuntimeClock,
  signal: AbortSignal,
): Promise<OwnerRecord> {
  let took = 0
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const began = { wall: clock.now().getTime(), monotonic: clock.monotonic() }
    const record = { ...base, number: 0, took: [] }
    await putRecord(place, { ...record, phase: 'choosing', at: clock.now().toISOString() }, signal)
    const others = await getOthers(place, holderId(base.holder), signal)
    const number = 1 + Math.max(0, ...[...others.values()].map((other) => other.record?.number ?? 0))
    const claimed: OwnerRecord = { ...record, phase: 'claimed', number, at: clock.now().toISOString() }
    await putRecord(place, claimed, signal)
    // A machine that was suspended shows it in one of the two clocks.
    took = Math.max(clock.monotonic() - began.monotonic, Math.abs(clock.now().getTime() - began.wall))
    // Somebody may have lost patience meanwhile, and not have counted us.
    if (took <= longestChoosingMs) return claimed
  }
  throw errors.STORE_CLAIM_SLOW({ plan: place.plan, took: formatDuration(took) })
}

/** Looks at the others until nothing about them is open. */
async function outlast(
  place: OwnerPlace,
  mine: OwnerRecord,
  clock: RuntimeClock,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FoundRecord>> {
  const own = holderId(mine.holder)
  const seen = new Map<string, { readonly text: string; readonly since: number }>()
  for (;;) {
    const gone = new Map<string, FoundRecord>()
    let open = false
    for (const [holder, found] of await getOthers(place, own, signal)) {
      const last = seen.get(holder)
      const since = last?.text === found.text ? last.since : clock.monotonic()
      seen.set(holder, { text: found.text, since })
      const verdict = judge(found, {
        isAhead: isBefore([found.record?.number ?? 0, holder], [mine.number, own]),
        now: clock.now().getTime(),
        unchangedMs: clock.monotonic() - since,
        changed: last !== undefined && last.text !== found.text,
      })
      if (verdict === 'owns') throw owned(place, found, clock)
      if (verdict === 'gone') gone.set(holder, found)
      if (verdict === 'open') open = true
    }
    if (!open) return gone
    await clock.sleep(pollEveryMs, signal)
  }
}

interface Observation {
  /** Whether its number comes before ours. */
  readonly isAhead: boolean
  readonly now: number
  readonly unchangedMs: number
  /** Whether it was seen to change: its holder is alive. */
  readonly changed: boolean
}

function judge({ record }: FoundRecord, seen: Observation): 'owns' | 'behind' | 'gone' | 'open' {
  if (!record) return seen.changed ? 'owns' : seen.unchangedMs >= patienceMs.undated ? 'gone' : 'open'
  if (record.phase === 'free') return 'gone'
  const age = seen.now - Date.parse(record.at)
  if (age >= staleAfterMs) return 'gone'
  if (record.phase === 'choosing') return seen.unchangedMs >= patienceMs.choosing ? 'gone' : 'open'
  if (!seen.isAhead) return 'behind'
  // Dated after now: either clock is wrong. The dead don't renew.
  if (age <= -staleAfterMs && !seen.changed) return seen.unchangedMs >= patienceMs.undated ? 'gone' : 'open'
  return 'owns'
}

function isBefore(a: readonly [number, string], b: readonly [number, string]): boolean {
  return a[0] === b[0] ? a[1] < b[1] : a[0] < b[0]
}

function owned({ plan }: OwnerPlace, { record }: FoundRecord, clock: RuntimeClock): Error {
  return errors.STORE_OWNED({
    plan,
    owner: record ? describeHolder(record.holder) : 'another version of Holdfast',
    run: record?.run ?? 'unknown',
    age: record ? formatDuration(Math.max(0, clock.now().getTime() - Date.parse(record.at))) : 'moments',
  })
}
