import type { RuntimeClock } from '../clock.ts'

/** Waits for something, but no longer than so many milliseconds. @param act - is told when nobody waits any more */
export async function within(
  clock: Pick<RuntimeClock, 'setTimer'>,
  ms: number,
  act: (enough: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const enough = new AbortController()
  const over = Promise.withResolvers<void>()
  const cancel = clock.setTimer(ms, () => {
    enough.abort()
    over.resolve()
  })
  try {
    await Promise.race([act(enough.signal), over.promise])
  } finally {
    cancel()
  }
}
