import { errors } from '@holdfast/runtime'
import {
  HoldfastError,
  type Clock,
  type ContainerRef,
  type Duration,
  type Exec,
  type ExecRequest,
  type ExecResult,
  type ExecSession,
} from '@holdfast/sdk'

/** One command that was run. */
export interface ExecCall {
  /** `local`, or the container. */
  readonly where: 'local' | ContainerRef
  readonly command: readonly string[]
  /** Names of the variables that were set; never their values. */
  readonly env: readonly string[]
}

/** What a fake command does. */
export type FakeCommand = (call: FakeCall) => FakeReply | Promise<FakeReply>

/** What a fake command is given. */
export interface FakeCall extends ExecCall {
  readonly request: ExecRequest
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** What a fake command leaves behind. */
export interface FakeReply {
  readonly stdout?: string | Uint8Array | undefined
  readonly stderr?: string | undefined
  /** Default 0. */
  readonly exitCode?: number | undefined
  /** Its output is taken in pieces, with time in between: see {@link slowSink}. Default: whole, at once. */
  readonly pace?: SlowPace | undefined
}

/** How slowly output is taken. */
export interface SlowPace {
  /** Before each piece, on the injected clock. Default `'1s'`. */
  readonly pause?: Duration | undefined
  /** Of a piece. Default 1024. */
  readonly bytes?: number | undefined
}

/** A fake {@link Exec} that keeps a list of what was run. */
export interface FakeExec {
  readonly calls: readonly ExecCall[]
  /** For `createTestRun({ exec })`. */
  create(options: { readonly signal: AbortSignal; readonly clock: Clock }): Exec
}

/** A command that answers. */
export function replies(reply: FakeReply = {}): FakeCommand {
  return () => reply
}

/** A command that never ends by itself; it heeds its signal. */
export function hangs(): FakeCommand {
  return ({ signal }) => new Promise((_, reject) => whenAborted(signal, () => reject(signal.reason as Error)))
}

/** A command that never ends and does not care about its signal. */
export function ignoresAbort(): FakeCommand {
  return () => new Promise(() => {})
}

/** A command whose connection ends in the middle of its output, without a word about its exit. */
export function dropsWithoutStatus(before = 'half of the'): FakeCommand {
  return async ({ request, command }) => {
    if (typeof request.stdout === 'object') await request.stdout.write(Buffer.from(before))
    throw errors.EXEC_LOST({ command: command[0] ?? '', reason: 'the connection ended (1006)', stderrTail: '' })
  }
}

/** A command whose reader is slow, as a store on a bad day is: its output is taken piece by piece. It heeds its signal. */
export function slowSink(reply: FakeReply, pace: SlowPace = {}): FakeCommand {
  return () => ({ ...reply, pace })
}

/** A command whose output arrives short although it exited 0: what a count of its bytes brings to light. */
export function truncates(sent: string, arrived: string): FakeCommand {
  return async ({ request, command }) => {
    if (typeof request.stdout === 'object') await request.stdout.write(Buffer.from(arrived))
    throw errors.EXEC_TRUNCATED({
      command: command[0] ?? '',
      reason: `it wrote ${Buffer.byteLength(sent)} bytes, ${Buffer.byteLength(arrived)} arrived`,
      stderrTail: '',
    })
  }
}

/**
 * A set of fake commands by program name; any other command fails as missing.
 *
 * @example
 * ```ts
 * const exec = fakeExec({ mongodump: replies({ stdout: 'archive' }), fsfreeze: hangs() })
 * ```
 */
export function fakeExec(commands: Readonly<Record<string, FakeCommand>>): FakeExec {
  const calls: ExecCall[] = []
  return {
    calls,
    create({ signal, clock }) {
      const run = async (where: ExecCall['where'], request: ExecRequest): Promise<ExecResult> => {
        const call: ExecCall = { where, command: request.command, env: Object.keys(request.env ?? {}) }
        calls.push(call)
        const fake = commands[request.command[0]]
        if (!fake) throw failure('EXEC_NOT_FOUND', `there is no program ${request.command[0]}`, {})
        const stop = request.signal ? AbortSignal.any([signal, request.signal]) : signal
        stop.throwIfAborted()
        return inTime(request, clock, stop, async (ends) => {
          const reply = await fake({ ...call, request, signal: ends, clock })
          return finish(request, reply, (pause) => clock.sleep(pause, ends))
        })
      }
      return {
        local: (request) => run('local', request),
        container: (where, request) => run(where, request),
        async pipeline(stages) {
          const results: ExecResult[] = []
          for (const stage of stages) results.push(await run('local', stage))
          return results
        },
        session: async (where, request) => session(run(where, request)),
      }
    },
  }
}

/** The request's deadline, on the injected clock: real commands are stopped by it, too. */
async function inTime<T>(
  request: ExecRequest,
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  const { timeout, command } = request
  if (timeout === undefined) return work(signal)
  const late = new AbortController()
  const settled = new AbortController()
  const deadline = clock.sleep(timeout, settled.signal).then(
    () => {
      const error = failure('EXEC_TIMEOUT', `${command[0]} did not finish within ${timeout}`, { command: command[0] })
      late.abort(error)
      throw error
    },
    () => new Promise<never>(() => {}),
  )
  try {
    return await Promise.race([work(AbortSignal.any([signal, late.signal])), deadline])
  } finally {
    settled.abort()
  }
}

async function finish(
  request: ExecRequest,
  reply: FakeReply,
  sleep: (pause: Duration) => Promise<void>,
): Promise<ExecResult> {
  const { stdout = '', stderr = '', exitCode = 0, pace } = reply
  const bytes = typeof stdout === 'string' ? Buffer.from(stdout) : stdout
  if (typeof request.stderr === 'object' && stderr !== '') await request.stderr.write(Buffer.from(stderr))
  if (pace) {
    const { pause = '1s', bytes: size = 1024 } = pace
    for (let at = 0; at < bytes.length; at += size) {
      await sleep(pause)
      if (typeof request.stdout === 'object') await request.stdout.write(bytes.subarray(at, at + size))
    }
  } else if (typeof request.stdout === 'object') await request.stdout.write(bytes)
  if (request.onLine) {
    for (const line of linesOf(Buffer.from(bytes).toString())) request.onLine(line, 'stdout')
    for (const line of linesOf(stderr)) request.onLine(line, 'stderr')
  }
  if (!(request.okExitCodes ?? [0]).includes(exitCode)) {
    throw failure('EXEC_FAILED', `${request.command[0]} exited with ${exitCode}`, {
      exitCode,
      command: request.command[0],
      stderrTail: stderr.slice(-2048),
    })
  }
  const text = request.stdout === undefined || request.stdout === 'text' ? Buffer.from(bytes).toString() : ''
  return {
    exitCode,
    stdout: text,
    stderrTail: stderr,
    bytes: bytes.length,
    durationMs: 0,
    integrity: request.integrity ?? 'status',
  }
}

function linesOf(text: string): string[] {
  if (text === '') return []
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

function session(result: Promise<ExecResult>): ExecSession {
  result.catch(() => {})
  return {
    result,
    write: async () => {},
    end: async () => {},
    async line(match) {
      const { stdout } = await result
      const found = stdout.split('\n').find(match)
      if (found === undefined) throw failure('EXEC_FAILED', 'no line matched', {})
      return found
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

function failure(code: string, message: string, details: Record<string, string | number>): HoldfastError {
  return new HoldfastError({ code, message, details, hint: 'This is a fake.' })
}

function whenAborted(signal: AbortSignal, callback: () => void): void {
  if (signal.aborted) callback()
  else signal.addEventListener('abort', callback, { once: true })
}
