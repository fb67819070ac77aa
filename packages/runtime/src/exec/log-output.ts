import type { Logger } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import type { ExecOutput } from './output.ts'
import { longestLine } from './lines.ts'

/** Options of {@link logOutput}. */
export interface LogOutputOptions {
  /** For commands that have no log of their own. */
  readonly log: Logger
  readonly clock: Pick<RuntimeClock, 'monotonic'>
  /** Lines per second and command that are logged; the others are counted. @defaultValue 200 */
  readonly linesPerSecond?: number | undefined
}

const newline = 10
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * One log line per line of output, which says whose it is: run, hook, target. A command that prints faster than allowed is not slowed down: what is too much is
 * counted, and the count is logged.
 */
export function logOutput({ log: common, clock, linesPerSecond = 200 }: LogOutputOptions): ExecOutput {
  return {
    open({ command, log = common }) {
      let second = clock.monotonic()
      let logged = 0
      let dropped = { lines: 0, bytes: 0 }

      const report = (): void => {
        if (dropped.lines > 0) {
          log.warn(`${command} printed too fast: ${dropped.lines} lines were not logged`, { command, ...dropped })
        }
        dropped = { lines: 0, bytes: 0 }
      }
      const line = (text: Uint8Array, from: 'stdout' | 'stderr'): void => {
        logged++
        log.info(decoder.decode(text.at(-1) === 13 ? text.subarray(0, -1) : text), { command, from })
      }
      const streams = { stdout: cutLines(), stderr: cutLines() }

      return {
        write(chunk, from) {
          const now = clock.monotonic()
          if (now - second >= 1000) {
            second = now
            logged = 0
            report()
          }
          streams[from](chunk, (text) => {
            if (logged < linesPerSecond) return line(text, from)
            dropped.lines++
            dropped.bytes += text.length + 1
          })
        },
        end() {
          for (const from of ['stdout', 'stderr'] as const) streams[from](undefined, (text) => line(text, from))
          report()
        },
      }
    },
  }
}

/** Cuts bytes into lines without decoding them: most lines of a fast command are only counted. */
function cutLines(): (chunk: Uint8Array | undefined, onLine: (line: Uint8Array) => void) => void {
  let rest: Uint8Array[] = []
  let length = 0

  const keep = (part: Uint8Array): void => {
    if (part.length === 0) return
    rest.push(Buffer.from(part))
    length += part.length
  }
  const complete = (part: Uint8Array): Uint8Array => {
    if (length === 0) return part
    const whole = Buffer.concat([...rest, part])
    rest = []
    length = 0
    return whole
  }

  return (chunk, onLine) => {
    if (!chunk) {
      if (length > 0) onLine(complete(new Uint8Array()))
      return
    }
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      onLine(complete(chunk.subarray(start, end)))
      start = end + 1
    }
    keep(chunk.subarray(start))
    if (length > longestLine) onLine(complete(new Uint8Array()))
  }
}
