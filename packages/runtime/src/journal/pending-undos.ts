// What is not given back, as the critical metric and for those who are told.
import type { Services } from '../services.ts'
import { livenessLookup } from './process.ts'
import type { UndoRecord } from './records.ts'

/** Kinds of undos for which the critical metric is raised. */
const raised = new WeakMap<Services['meter'], ReadonlySet<string>>()

/**
 * Sets the critical metric: undos that failed, or that nobody is going to run. Where it was raised and nothing is pending
 * any more, whoever has done it, it goes down.
 *
 * @param kinds - undos for which it is set in any case
 */
export function reportPendingUndos(services: Services, kinds: readonly string[] = []): void {
  const { strayUndos, meter } = services
  const pending = new Map([...kinds, ...(raised.get(meter) ?? [])].map((kind) => [kind, 0]))
  for (const kind of strayUndos.values()) pending.set(kind, (pending.get(kind) ?? 0) + 1)
  for (const { undo } of stuckUndos(services)) pending.set(undo, (pending.get(undo) ?? 0) + 1)
  const gauge = meter.gauge('holdfast_undos_pending', 'Effects that have not been given back', ['kind'])
  for (const [kind, count] of pending) gauge.set(count, { kind })
  raised.set(meter, new Set([...pending].flatMap(([kind, count]) => (count > 0 ? [kind] : []))))
}

/** Pending undos that failed, or that nobody is going to run. */
export function stuckUndos(services: Services): readonly UndoRecord[] {
  const { journal, heldUndos, process } = services
  const liveness = livenessLookup(services)
  return journal.pendingUndos().filter(({ id, process: owner, state, attempts }) => {
    const failed = state === 'armed' && attempts > 0
    const cared = owner === process.id ? heldUndos.has(id) : liveness(owner) === 'alive'
    return failed || !cared
  })
}
