import type { Sink } from '@holdfast/sdk'
import type { RedactingStream } from '../telemetry/redaction.ts'
import type { ExecOutputStream } from './output.ts'
import type { Lines } from './lines.ts'
import type { Tail } from './tail.ts'

/** Which of a command's streams. */
export type StreamName = 'stdout' | 'stderr'

/** Takes one stream of a command to where its request wants it. */
export interface Receiver {
  readonly from: StreamName
  /** What was kept of a stream that is `'text'`. */
  readonly text: string
  readonly bytes: number
  /** Waits only while whoever takes the bytes is slower than the command. */
  take(chunk: Uint8Array): void | Promise<void>
  /** After the last chunk. */
  end(): Promise<void>
}

/** Options of {@link createReceiver}. */
export interface ReceiverOptions {
  readonly from: StreamName
  readonly to: Sink | 'text' | 'log'
  readonly output: ExecOutputStream
  /** Blanks secrets in what is logged and kept; what goes to a sink stays as it is. */
  readonly redaction: RedactingStream
  /** Where the last bytes are kept, redacted. */
  readonly tail: Tail | undefined
  readonly lines: Lines | undefined
  /** The chunks stay as they are after `take`: they need not be copied. */
  readonly lasting?: boolean | undefined
}

/** Bytes of the largest output that is kept as text. */
export const longestText = 16 * 2 ** 20

/** Thrown by a receiver whose output is `'text'` and too large. */
export class TextTooLarge extends Error {}

/** Creates a {@link Receiver}. Its `take` rejects when a sink or a line handler fails. */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { from, to, output, redaction, tail, lines, lasting = false } = options
  const kept: Buffer[] = []
  let bytes = 0

  const toLog = (chunk: Uint8Array): void | Promise<void> => {
    if (chunk.length === 0) return
    tail?.push(chunk)
    if (to === 'log') return output.write(chunk, from)
  }

  return {
    from,
    get text() {
      return Buffer.concat(kept).toString()
    },
    get bytes() {
      return bytes
    },
    take(chunk) {
      bytes += chunk.length
      lines?.push(chunk)
      if (to === 'text') {
        if (bytes > longestText) throw new TextTooLarge()
        kept.push(Buffer.from(chunk)) // also a lasting one: small pieces of large buffers would keep those
      }
      const logged = to === 'log' || tail ? toLog(redaction.push(chunk)) : undefined
      if (typeof to === 'string') return logged
      // The buffer is read into again, and a sink may keep what it got.
      return to.write(lasting ? chunk : Buffer.from(chunk))
    },
    async end() {
      lines?.end()
      await toLog(redaction.flush())
    },
  }
}
