import { createInterface } from 'node:readline/promises'
import { Readable } from 'node:stream'
import type { Bytes } from '@holdfast/sdk'

/** The standard input of a fake command, which may read it as bytes, as lines, or not at all. */
export interface FakeStdin {
  /** The same input; `undefined` where there is none. */
  readonly stdin: Bytes | string | undefined
  readonly input: AsyncIterable<string>
  /**
   * Reads what the command did not: a real one that reads nothing is rare, and whoever makes the input should hear of nothing
   * else.
   */
  rest(): Promise<void>
}

/** Watches whether anybody reads it. */
export function inputOf(given: Bytes | string | undefined): FakeStdin {
  let isRead = typeof given !== 'object'
  const stdin: Bytes | string | undefined =
    typeof given === 'object'
      ? {
          [Symbol.asyncIterator]() {
            isRead = true
            return given[Symbol.asyncIterator]()
          },
        }
      : given
  return {
    stdin,
    input: {
      async *[Symbol.asyncIterator]() {
        yield* createInterface({ input: Readable.from(typeof stdin === 'object' ? stdin : [stdin ?? '']) })
      },
    },
    async rest() {
      if (isRead || typeof stdin !== 'object') return
      for await (const chunk of stdin) void chunk
    },
  }
}
