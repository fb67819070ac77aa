import type { Logger } from '@holdfast/sdk'
import { reasonOf, type RuntimeClock } from '@holdfast/runtime'
import type { Session } from '../session.ts'

const pauseMs = 60_000

/**
 * Looks every minute whether another pod has died with something in its hands, and gives it back. Without a cluster there
 * is nobody else.
 *
 * @returns stops it
 */
export function lookForOrphans(
  { engine, cluster }: Pick<Session, 'engine' | 'cluster'>,
  clock: Pick<RuntimeClock, 'setTimer'>,
  log: Logger,
): () => void {
  let cancel: (() => void) | undefined
  let isStopped = cluster === undefined

  const wait = (): void => {
    if (!isStopped) cancel = clock.setTimer(pauseMs, () => void look())
  }
  const look = async (): Promise<void> => {
    try {
      await engine.recoverOrphans()
    } catch (error) {
      log.error(`what other pods left behind could not be looked for: ${reasonOf(error)}`, { error })
    }
    wait()
  }
  wait()
  return () => {
    isStopped = true
    cancel?.()
  }
}
