/** A process that the child left behind can hold the pipe open for ever: when it is given up. */
export interface Patience {
  /** After this many milliseconds without a byte. */
  readonly silenceMs: number
  /** And after 2 s, whatever comes, once all that the child has written itself is read. */
  readonly bounded: boolean
}

/** How long a pipe is read at most after the exit, where that is bounded, in ms. */
const longestMs = 2000
/** Bytes of the largest pipe that a process without privileges can make. */
const largestPipe = 2 ** 20

/** A {@link Patience} that is running. */
export interface Wait {
  /** Counts bytes that were handled. @returns whether to stop here */
  hasEnough(bytes: number): boolean
  /** The pipe was found empty. @returns whether to stop here */
  isOver(): boolean
  /** Whether others must get a turn of the loop. */
  isLong(): boolean
}

/** Starts waiting, at the child's exit. */
export function createWait({ silenceMs, bounded }: Patience): Wait {
  const begin = performance.now()
  let last = begin
  let total = 0
  let emptied = false
  const isLate = (): boolean => bounded && performance.now() - begin > longestMs
  return {
    hasEnough(bytes) {
      last = performance.now()
      total += bytes
      return isLate() && (emptied || total > largestPipe)
    },
    isOver() {
      emptied = true
      return isLate() || performance.now() - last > silenceMs
    },
    isLong: () => total > largestPipe,
  }
}
