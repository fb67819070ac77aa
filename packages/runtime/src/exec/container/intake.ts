import type { StreamName } from '../receiver.ts'

/** Hands a connection's output on, one chunk at a time, and slows the connection down while nobody takes it. */
export interface Intake {
  push(from: StreamName, chunk: Uint8Array): void
  /** Bytes that wait. */
  readonly waiting: number
  /** Resolves when all that came was taken, or failed to be. */
  drained(): Promise<void>
}

/** Options of {@link createIntake}. */
export interface IntakeOptions {
  /** What it returns is waited for. */
  readonly take: (from: StreamName, chunk: Uint8Array) => void | Promise<void>
  /** A take failed: nothing more of this stream is handed on, and the others go on. */
  readonly failed: (from: StreamName, error: unknown) => void
  readonly pause: () => void
  readonly resume: () => void
}

/** Bytes that may wait here; as many may be in the connection's own buffers. */
const high = 512 * 1024
const low = 128 * 1024

interface Queue {
  readonly chunks: Uint8Array[]
  busy: boolean
  broken: boolean
}

/** Creates an {@link Intake}. Standard output and error don't wait for each other, until too much waits. */
export function createIntake({ take, failed, pause, resume }: IntakeOptions): Intake {
  const queues: Record<StreamName, Queue> = {
    stdout: { chunks: [], busy: false, broken: false },
    stderr: { chunks: [], busy: false, broken: false },
  }
  let waiting = 0
  let paused = false
  let empty: PromiseWithResolvers<void> | undefined

  const release = (bytes: number): void => {
    waiting -= bytes
    if (paused && waiting <= low) {
      paused = false
      resume()
    }
    if (!queues.stdout.busy && !queues.stderr.busy) empty?.resolve()
  }
  const fail = (from: StreamName, error: unknown): void => {
    const queue = queues[from]
    queue.broken = true
    let bytes = 0
    for (const chunk of queue.chunks.splice(0)) bytes += chunk.length
    release(bytes)
    failed(from, error)
  }
  const work = async (from: StreamName, first: Promise<void>, size: number): Promise<void> => {
    const queue = queues[from]
    queue.busy = true
    let taken: void | Promise<void> = first
    let bytes = size
    try {
      for (;;) {
        await taken
        const chunk = queue.chunks.shift()
        if (!chunk) break
        release(bytes)
        bytes = chunk.length
        taken = take(from, chunk)
      }
      queue.busy = false
      release(bytes)
    } catch (error) {
      queue.busy = false
      release(bytes)
      fail(from, error)
    }
  }

  return {
    push(from, chunk) {
      const queue = queues[from]
      if (queue.broken) return
      if (queue.busy) {
        queue.chunks.push(chunk)
        waiting += chunk.length
      } else {
        try {
          const taken = take(from, chunk)
          if (!taken) return
          waiting += chunk.length
          void work(from, taken, chunk.length)
        } catch (error) {
          fail(from, error)
          return
        }
      }
      if (waiting < high || paused) return
      paused = true
      pause()
    },
    get waiting() {
      return waiting
    },
    async drained() {
      while (queues.stdout.busy || queues.stderr.busy) {
        empty = Promise.withResolvers()
        await empty.promise
      }
    },
  }
}
