import type { Logger } from '@holdfast/sdk'
import { reasonOf, type Engine, type RuntimeClock } from '@holdfast/runtime'

const dayMs = 86_400_000
/** Runs are forgotten after this long. */
const historyMs = 400 * dayMs

/**
 * Once a day: forgets old runs, and removes from the store what interrupted runs have left in it.
 *
 * @returns stops it
 */
export function keepHouse(engine: Engine, clock: RuntimeClock, log: Logger): () => void {
  let cancel: (() => void) | undefined
  const stop = new AbortController()

  const sweep = async (): Promise<void> => {
    const longest = Math.max(...engine.config().plans.map(({ budgetMs }) => budgetMs), 0)
    // What began later may still be at work.
    const before = new Date(clock.now().getTime() - longest - dayMs)
    const removed = await engine.store().sweep({ before, signal: stop.signal })
    if (removed.length > 0) log.info('removed what interrupted runs had left in the store', { removed })
  }

  const work = (): void => {
    cancel = clock.setTimer(dayMs, work)
    try {
      engine.journal.forgetRuns(new Date(clock.now().getTime() - historyMs))
    } catch (error) {
      log.warn(`old runs could not be forgotten: ${reasonOf(error)}`, { error })
    }
    sweep().catch((error: unknown) => {
      if (!stop.signal.aborted) log.warn(`the store could not be swept: ${reasonOf(error)}`, { error })
    })
  }
  work()
  return () => {
    stop.abort(new Error('the daemon stops'))
    cancel?.()
  }
}
