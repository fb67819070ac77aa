import { reasonOf } from '../failure.ts'
import type { Services } from '../services.ts'
import type { UndoRecord } from './records.ts'
import { recoverUndos } from './recovery.ts'

/** What an earlier run of ours could not give back gets another chance before anything is taken again. */
export async function giveBackLeftovers(services: Services, isOf: (undo: UndoRecord) => boolean): Promise<void> {
  const { journal, process, log } = services
  try {
    const left = journal.pendingUndos().filter((undo) => isOf(undo) && undo.process === process.id)
    if (left.length > 0) await recoverUndos(services, { once: true, only: left.map(({ id }) => id) })
  } catch (error) {
    log.error(`pending undos could not be looked up: ${reasonOf(error)}`, { error })
  }
}
