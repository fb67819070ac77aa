import { setImmediate } from 'node:timers/promises'
import { errors } from '@holdfast/runtime'
import { formatDuration, parseDuration, type Clock, type ExecResult, type ExecSession } from '@holdfast/sdk'

/** Both ends of what a fake command hears and says while it runs. */
export interface FakeTalk {
  /** What is written to it, a line each, until its end. */
  readonly input: AsyncIterable<string>
  /** Prints a line. */
  print(line: string): void
}

/** The same, for who runs the command. */
export interface FakeTalkOf extends FakeTalk {
  /** When nothing more is written to it. */
  readonly ended: Promise<void>
  /** Kills it. */
  readonly signal: AbortSignal
}

interface Talk extends Omit<FakeTalkOf, 'signal'> {
  write(chunk: Uint8Array | string): void
  end(): void
  /** Hears of each line that is printed. */
  listen(hear: (line: string) => void): () => void
}

/** Between a fake command and whoever talks to it. */
function createTalk(): Talk {
  const written: string[] = []
  const ended = Promise.withResolvers<void>()
  const listeners = new Set<(line: string) => void>()
  let rest = ''
  let isEnded = false
  let wake = Promise.withResolvers<void>()
  const changed = (): void => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  return {
    ended: ended.promise,
    input: {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          const line = written.shift()
          if (line !== undefined) yield line
          else if (isEnded) return
          else await wake.promise
        }
      },
    },
    print(line) {
      for (const hear of listeners) hear(line)
    },
    write(chunk) {
      const lines = (rest + Buffer.from(chunk).toString()).split('\n')
      rest = lines.pop() ?? ''
      written.push(...lines)
      changed()
    },
    end() {
      if (rest !== '') written.push(rest)
      rest = ''
      isEnded = true
      ended.resolve()
      changed()
    },
    listen(hear) {
      listeners.add(hear)
      return () => void listeners.delete(hear)
    },
  }
}

/** How often others get their turn until a command that doesn't end with its input is killed. */
const patience = 20

/**
 * A fake command that is talked to. What it has said is there for whoever asks, however late: nobody should depend on how
 * fast a fake is.
 */
export function fakeSession(
  command: string,
  clock: Clock,
  run: (talk: FakeTalkOf) => Promise<ExecResult>,
): ExecSession {
  const talk = createTalk()
  const killed = new AbortController()
  let isOver = false
  /** Lines that nobody has waited for, up to the next that somebody does. */
  const unheard: string[] = []
  talk.listen((line) => unheard.push(line))
  const result = run({ ...talk, signal: killed.signal }).finally(() => (isOver = true))
  result.catch(() => {})
  return {
    result,
    async write(chunk) {
      if (isOver) throw errors.EXEC_STDIN({ command, reason: 'it does not read its input any more', stderrTail: '' })
      talk.write(chunk)
    },
    end: async () => talk.end(),
    async line(match, within) {
      const found = Promise.withResolvers<string>()
      const settled = new AbortController()
      const noLine = (reason: string, cause?: unknown): void =>
        found.reject(errors.EXEC_NO_LINE({ command, reason }, { cause }))
      const forget = talk.listen((line) => match(line) && found.resolve(line))
      const at = unheard.findIndex(match)
      if (at >= 0) found.resolve(unheard.splice(0, at + 1).at(-1) ?? '')
      result.then(
        () => noLine('it ended before'),
        (error: unknown) => noLine(error instanceof Error ? error.message : String(error), error),
      )
      const ms = parseDuration(within)
      clock.sleep(ms, settled.signal).then(
        () => noLine(`it was silent about it for ${formatDuration(ms)}`),
        () => {},
      )
      try {
        return await found.promise
      } finally {
        forget()
        settled.abort()
      }
    },
    async [Symbol.asyncDispose]() {
      talk.end()
      for (let turn = 0; turn < patience && !isOver; turn += 1) await setImmediate()
      killed.abort(errors.EXEC_TIMEOUT({ command, after: '0 s', stderrTail: '' }))
    },
  }
}
