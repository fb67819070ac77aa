import { setImmediate } from 'node:timers/promises'
import type { RuntimeClock } from '../clock.ts'

const sliceMs = 20

/** Works through many things without keeping runs from their turn. */
export async function inSlices<T>(
  items: Iterable<T>,
  clock: Pick<RuntimeClock, 'monotonic'>,
  work: (item: T) => void,
): Promise<void> {
  let began = clock.monotonic()
  for (const item of items) {
    work(item)
    if (clock.monotonic() - began < sliceMs) continue
    await setImmediate()
    began = clock.monotonic()
  }
}
