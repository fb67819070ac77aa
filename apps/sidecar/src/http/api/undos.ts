import type { UndoRecord } from '@holdfast/runtime'
import { partOf, type Part } from './parts.ts'
import type { StatusSource } from './source.ts'
import { kindOf, type UndoKind } from './timeline.ts'

/** Something that was taken and not given back yet. */
export interface UndoView {
  readonly id: string
  /** `cleanup`: it removes what a restore drill made, and nothing stands still meanwhile. */
  readonly kind: UndoKind
  readonly undo: string
  readonly plan?: string | undefined
  readonly participant?: string | undefined
  readonly run?: string | undefined
  /**
   * `held`: the run that took it goes on, and gives it back itself. `pending`: somebody has to look. `unknown`: another
   * pod took it, and whether that lives can't be told.
   */
  readonly state: 'held' | 'pending' | 'unknown'
  readonly armedAt?: string | undefined
  readonly heldMs?: number | undefined
  readonly attempts?: number | undefined
  readonly error?: string | undefined
}

/**
 * What is pending, the worst first.
 *
 * @param query - `limit`, `offset`
 * @throws HoldfastError `API_PARAMETER`
 */
export function listUndos(source: StatusSource, query: URLSearchParams, usual?: number): Part<UndoView> {
  const { journal, services } = source.engine
  const now = source.clock.now()
  const own = journal.pendingUndos().map((undo) => viewOf(undo, isHeld(source, undo) ? 'held' : 'pending', now))
  const known = new Set(own.map(({ id }) => id))
  const strays = [...services.strayUndos].flatMap(([id, undo]): UndoView[] =>
    known.has(id) ? [] : [{ id, kind: 'held', undo, state: 'unknown' }],
  )
  const pending = own.filter(({ state }) => state === 'pending')
  const isHolding = ({ kind }: UndoView): boolean => kind === 'held'
  const all = [...pending.filter(isHolding), ...strays, ...pending.filter((undo) => !isHolding(undo))]
  return partOf([...all, ...own.filter(({ state }) => state === 'held')], query, usual)
}

/** Whether the run that took it goes on. */
export function isHeld({ engine }: StatusSource, undo: UndoRecord): boolean {
  const { journal, services, hasEnded } = engine
  if (services.heldUndos.has(undo.id)) return true
  if (undo.process === services.process.id) return false
  // `holdfast run` beside this daemon.
  const run = journal.history.run(undo.run)
  return run !== undefined && run.endedAt === undefined && !hasEnded(undo.process)
}

function viewOf(record: UndoRecord, state: UndoView['state'], now: Date): UndoView {
  const { id, undo, plan, participant, run, armedAt, attempts, error } = record
  return {
    id,
    kind: kindOf(record),
    undo,
    plan,
    participant,
    run,
    state,
    armedAt: armedAt.toISOString(),
    heldMs: Math.max(0, now.getTime() - armedAt.getTime()),
    attempts,
    error,
  }
}
