// A drill reads backups for as long as a restore takes; nobody may prune them under its feet. It takes no lock of its plan's
// runs for that: a drill must not keep a backup from being made.
import type { Awaitable } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { livenessOf } from '../journal/process.ts'
import { abandonGraceMs } from '../lifecycle/call.ts'
import type { Services } from '../services.ts'
import { cleanupUndoName, type CleanupInput } from './cleanup-undo.ts'

/**
 * Calls something while nobody else chooses or removes restore points of a plan: what is chosen here is held before anybody
 * looks what may be removed, and what is being removed is gone before anybody chooses. What is told to stop and doesn't, because
 * a store hangs, is left behind: else nobody would prune this plan again before the next start.
 *
 * @throws the signal's reason when it is not free before
 */
export async function withPointsOf<T>(
  { locks, clock }: Pick<Services, 'locks' | 'clock'>,
  plan: string,
  { owner, signal }: { readonly owner: string; readonly signal: AbortSignal },
  body: () => Awaitable<T>,
): Promise<T> {
  return locks.withLock(`points-${plan}`, () => unlessLeftBehind(clock, signal, body), { owner, signal })
}

async function unlessLeftBehind<T>(clock: RuntimeClock, signal: AbortSignal, body: () => Awaitable<T>): Promise<T> {
  const left = Promise.withResolvers<never>()
  let cancel = (): void => {}
  const begin = (): void => {
    cancel = clock.setTimer(abandonGraceMs, () => left.reject(signal.reason as Error))
  }
  if (signal.aborted) begin()
  else signal.addEventListener('abort', begin, { once: true })
  try {
    return await Promise.race([Promise.resolve(body()), left.promise])
  } finally {
    signal.removeEventListener('abort', begin)
    cancel()
  }
}

/** Ids of the restore points that drills of this state directory are reading: armed with what cleans up after them. */
export function heldPoints({ journal, process, locks, owners }: Services): ReadonlySet<string> {
  const reading = journal
    .openRuns()
    .filter((run) => run.drill !== undefined && run.endedAt === undefined)
    .filter((run) => livenessOf(journal.process(run.process), process, locks, owners) !== 'gone')
  const inputs = reading.flatMap(({ id }) => journal.undos(id)).filter(({ undo }) => undo === cleanupUndoName)
  return new Set(inputs.flatMap(({ input }) => (JSON.parse(input) as CleanupInput).points))
}
