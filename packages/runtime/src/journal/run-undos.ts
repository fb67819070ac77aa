import type { Services } from '../services.ts'
import { adoptOrphans, nothing } from './adopt.ts'
import { withPatience } from './recover-all.ts'
import { recoverUndos, type RecoveredUndo, type RecoverOptions } from './recovery.ts'

/** Runs pending undos because a person asks for it: what is in our journal, and what the cluster keeps of others. */
export async function runUndos(
  services: Services,
  { only, force }: Pick<RecoverOptions, 'only' | 'force'>,
): Promise<readonly RecoveredUndo[]> {
  const { journal, clock, undoMirror } = services
  // What is in our journal needs no API server, which may be what is broken.
  const isOwn = only?.every((id) => journal.undo(id) !== undefined) ?? false
  const prepared = undoMirror?.prepare({ insists: true })
  if (prepared) await (isOwn ? withPatience(clock, prepared) : prepared)
  const { alive, unknown } = isOwn ? nothing : await adoptOrphans(services, { only, force })
  const run = await recoverUndos(services, { once: false, only, force })
  return [
    ...run,
    ...alive.map((undo) => ({ undo, result: 'alive' as const })),
    ...unknown.map((undo) => ({ undo, result: 'unknown' as const })),
  ]
}
