import { errors } from '@holdfast/runtime'
import type { Clock, ContainerRef, Duration, Exec, ExecRequest, ExecResult } from '@holdfast/sdk'
import { fakeSession, type FakeTalk, type FakeTalkOf } from './fake-session.ts'
import { aborted, failure, finish, inTime, settleTalk, withPrinted } from './fake-reply.ts'
import { inputOf } from './fake-stdin.ts'

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

/** What a fake command is given. What it does not read of its standard input is read for it, when it has answered. */
export interface FakeCall extends ExecCall, FakeTalk {
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

/**
 * A command that is talked to, as by `exec.session`: answers each line of what is written to it.
 *
 * @param answer - the lines that it prints; `undefined`: none. What it throws ends the command
 * @example
 * ```ts
 * const psql = talks((line) => (line.includes('pg_backup_start') ? 'started' : undefined))
 * ```
 */
export function talks(
  answer: (line: string, call: FakeCall) => string | undefined | Promise<string | undefined>,
): FakeCommand {
  return async (call) => {
    for await (const line of call.input) {
      const said = await answer(line, call)
      for (const each of said?.split('\n') ?? []) call.print(each)
    }
    return {}
  }
}

/** A command that never ends by itself; it heeds its signal. */
export function hangs(): FakeCommand {
  return ({ signal }) => aborted(signal)
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
      const run = async (where: ExecCall['where'], request: ExecRequest, talk?: FakeTalkOf): Promise<ExecResult> => {
        const call: ExecCall = { where, command: request.command, env: Object.keys(request.env ?? {}) }
        calls.push(call)
        const fake = commands[request.command[0]]
        if (!fake) throw failure('EXEC_NOT_FOUND', `there is no program ${request.command[0]}`, {})
        const stop = AbortSignal.any([signal, request.signal, talk?.signal].filter((each) => each !== undefined))
        stop.throwIfAborted()
        return inTime(request, clock, stop, async (ends) => {
          const printed: string[] = []
          const { input, stdin, rest } = inputOf(request.stdin)
          const heard = { ...request, ...(stdin && { stdin }) }
          const print = talk?.print ?? ((line: string) => void printed.push(`${line}\n`))
          const given = { input: talk?.input ?? input, print }
          const reply = await fake({ ...call, ...given, request: heard, signal: ends, clock })
          await rest()
          if (talk) await settleTalk(talk, reply, ends)
          return finish(request, withPrinted(reply, printed), (pause) => clock.sleep(pause, ends))
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
        session: async (where, request) => fakeSession(request.command[0], clock, (talk) => run(where, request, talk)),
      }
    },
  }
}
