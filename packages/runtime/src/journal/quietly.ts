import { reasonOf } from '../failure.ts'
import type { Services } from '../services.ts'

/** Writes what is only history: a full disk must not stop a backup that is under way. */
export function quietly<T>(services: Pick<Services, 'log' | 'meter'>, write: () => T): T | undefined {
  try {
    return write()
  } catch (error) {
    services.log.error(`the journal could not be written: ${reasonOf(error)}; history will have a gap`, { error })
    services.meter
      .counter('holdfast_state_store_errors_total', 'Failures of the state directory', ['op'])
      .add(1, { op: 'write' })
    return undefined
  }
}
