import { reasonOf } from '../failure.ts'
import type { RuntimeLogger } from './log.ts'

/** Tells somebody who watches. Monitoring that fails never fails a backup. */
export function tell(log: Pick<RuntimeLogger, 'error'>, listener: () => void): void {
  try {
    listener()
  } catch (error) {
    log.error(`metrics or an event could not be handled: ${reasonOf(error)}`, { error })
  }
}
