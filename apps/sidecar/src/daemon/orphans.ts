import type { Logger } from '@holdfast/sdk'
import { reasonOf, type RuntimeClock } from '@holdfast/runtime'
import type { Session } from '../session.ts'

const pauseMs = 60_000
/** After a start that could not ask: what is frozen there must not wait for a minute once the API server is back. */
const firstPauseMs = 2000

/**
 * Looks every minute whether another pod has died with something in its hands, or a command beside this daemon, and gives
 * it back.
 *
 * @param isComplete - whether the cluster could be asked at start
 * @returns stops it
 */
export function lookForOrphans(
  { engine }: Pick<Session, 'engine'>,
  clock: Pick<RuntimeClock, 'setTimer'>,
  log: Logger,
  isComplete: boolean,
): () => void {
  let cancel: (() => void) | undefined
  let isStopped = false
  let pause = isComplete ? pauseMs : firstPauseMs

  const wait = (): void => {
    if (!isStopped) cancel = clock.setTimer(pause, () => void look())
  }
  const look = async (): Promise<void> => {
    pause = Math.min(pause * 2, pauseMs)
    try {
      const found = await engine.recoverOrphans()
      if (found.isComplete) pause = pauseMs
    } catch (error) {
      log.error(`what others left behind could not be looked for: ${reasonOf(error)}`, { error })
    }
    wait()
  }
  wait()
  return () => {
    isStopped = true
    cancel?.()
  }
}
