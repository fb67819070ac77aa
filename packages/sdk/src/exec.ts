import type { Duration } from './duration.ts'
import type { Bytes } from './json.ts'
import type { Secret } from './secret.ts'

/** Takes bytes; a write resolves when there is room for more. */
export interface Sink {
  write(chunk: Uint8Array): Promise<void>
}

/** A command to run. */
export interface ExecRequest {
  /** Program and arguments; no shell. Never put a secret here: argv is public on the machine. */
  readonly command: readonly [string, ...string[]]
  /** Added to the inherited environment. */
  readonly env?: Readonly<Record<string, string | Secret>> | undefined
  readonly cwd?: string | undefined
  readonly stdin?: Bytes | string | undefined
  /** `'text'` (default): kept whole, for small outputs. `'log'`: to the run's output. A sink: every byte, with backpressure. */
  readonly stdout?: Sink | 'text' | 'log' | undefined
  /** Default `'log'`. The last 64 KiB are kept in any case. */
  readonly stderr?: Sink | 'log' | undefined
  readonly onLine?: ((line: string, from: 'stdout' | 'stderr') => void) | undefined
  /** Exit codes that count as success; default `[0]`. */
  readonly okExitCodes?: readonly number[] | undefined
  /** Default: none beyond the hook's own. */
  readonly timeout?: Duration | undefined
  /** Without output for this long, the command counts as hung. Default: none. */
  readonly idleTimeout?: Duration | undefined
  /**
   * Stops it. Besides, it ends with its hook, which is not over before; a command with a signal of its own may go on until all
   * that the hook took is given back.
   */
  readonly signal?: AbortSignal | undefined
  /**
   * What a command on this machine is asked to end with, before it is killed: some clean up on SIGINT only. Default
   * `'SIGTERM'`.
   */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT' | undefined
  /** How completeness of stdout is proven; more than `'status'` needs `/bin/sh` in the container. */
  readonly integrity?: 'status' | 'bytes' | 'sha256' | undefined
}

/** What a command that ended well left behind. */
export interface ExecResult {
  readonly exitCode: number
  /** Standard output, where `stdout` was `'text'`; else empty. */
  readonly stdout: string
  /** The last 64 KiB of standard error, redacted. */
  readonly stderrTail: string
  /** Bytes of standard output. */
  readonly bytes: number
  readonly durationMs: number
  readonly integrity: 'status' | 'bytes' | 'sha256'
}

/** A running command that is talked to: freeze, hold, thaw. The end of its stdin is its order to give back. */
export interface ExecSession extends AsyncDisposable {
  write(chunk: Uint8Array | string): Promise<void>
  end(): Promise<void>
  /**
   * The first line that matches, of standard output or standard error, and comes from now on. Ask right after
   * {@link ExecSession.write}, with nothing awaited in between: an answer that came before nobody hears.
   *
   * @throws HoldfastError `EXEC_NO_LINE` when none has come in time, or the command has ended
   */
  line(match: (line: string) => boolean, within: Duration): Promise<string>
  readonly result: Promise<ExecResult>
}

/** A container of a pod, by the pod's name or by a selector that matches one pod. */
export type ContainerRef = ({ readonly pod: string } | { readonly selector: string }) & {
  readonly namespace?: string | undefined
  readonly container: string
}

/** Runs commands. Each call rejects with an error of code `EXEC_…` unless the command ended well and every byte arrived. */
export interface Exec {
  /** On this machine, in a process group of its own. */
  local(request: ExecRequest): Promise<ExecResult>
  /** Stdout to stdin, no shell; every stage's exit code counts. */
  pipeline(stages: readonly [ExecRequest, ...ExecRequest[]]): Promise<readonly ExecResult[]>
  /** In a container of a pod. */
  container(where: ContainerRef, request: ExecRequest): Promise<ExecResult>
  session(where: ContainerRef | 'local', request: ExecRequest): Promise<ExecSession>
}
