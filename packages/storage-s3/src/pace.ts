import type { DriverClock } from './clock.ts'

/** Lets so many bytes pass per second. */
export interface Pace {
  readonly isLimited: boolean
  /** The most bytes that go at once: a tenth of a second's worth, so that what is sent doesn't come in gusts. */
  readonly slice: number
  /** Waits for the turn of the next bytes; who came first goes first. */
  take(bytes: number, signal?: AbortSignal): Promise<void>
}

/** What is handed to a socket at once: over TLS a copy of it is made there. */
const largestSlice = 256 * 1024
const smallestSlice = 4 * 1024

/** @param bytesPerSecond - `undefined`: no limit */
export function createPace(bytesPerSecond: number | undefined, clock: DriverClock): Pace {
  if (bytesPerSecond === undefined) return { isLimited: false, slice: largestSlice, take: async () => {} }
  const msPerByte = 1000 / bytesPerSecond
  let free = clock.now()
  return {
    isLimited: true,
    slice: Math.min(largestSlice, Math.max(smallestSlice, Math.floor(bytesPerSecond / 10))),
    async take(bytes, signal) {
      const now = clock.now()
      const turn = Math.max(free, now)
      free = turn + bytes * msPerByte
      if (turn > now) await clock.sleep(turn - now, signal)
    },
  }
}
