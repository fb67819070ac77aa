import { closeSync } from 'node:fs'
import type { ExecRequest, ExecResult, Logger } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import type { Redactor } from '../telemetry/redaction.ts'
import { startChild, type Child } from './child.ts'
import { aborted } from './failures.ts'
import type { ExecOutput } from './output.ts'
import { openPipes, type Pipes } from './pipes.ts'
import type { StreamName } from './receiver.ts'
import { checkLocal, type LocalRequest } from './request.ts'
import type { Stdin } from './stdin.ts'
import type { Failure } from './stopper.ts'
import { supervise } from './supervise.ts'

/** What running commands needs. */
export interface ExecServices {
  readonly clock: RuntimeClock
  readonly redactor: Redactor
  readonly output: ExecOutput
  /** Stops every command. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** Between TERM and KILL, in ms. */
  readonly killGraceMs: number
  /** What commands inherit. */
  readonly env: NodeJS.ProcessEnv
}

/** How a command differs from a request of its own: as a stage of a pipeline, or as a session. */
export interface CommandWiring {
  /** `'open'`: the caller writes to it. A descriptor is handed over. */
  readonly stdin?: 'open' | number | undefined
  /** A descriptor that it writes to; handed over. */
  readonly stdout?: number | undefined
  /** Besides the request's own. */
  readonly onLine?: ((line: string, from: StreamName) => void) | undefined
}

/** A command that was started. */
export interface RunningCommand {
  /** The program, for messages. */
  readonly command: string
  /** Where the wiring said `'open'`. */
  readonly stdin: Stdin | undefined
  /** Rejects unless the command ended well and every byte arrived. */
  readonly result: Promise<ExecResult>
  /** Ends it, if it still runs; its result rejects with this failure. */
  stop(failure: Failure): void
}

/**
 * Starts a command.
 *
 * @throws HoldfastError `EXEC_…` when it can't be started; what happens afterwards rejects its result
 */
export async function startCommand(
  request: ExecRequest,
  services: ExecServices,
  wiring: CommandWiring = {},
): Promise<RunningCommand> {
  const { stdout = 'text', stderr = 'log' } = request
  let handedOver = false
  try {
    const checked = checkLocal(request, services.env, services.redactor)
    const fed = request.stdin !== undefined || wiring.stdin === 'open'
    const pipes = await openPipes({
      stdin: typeof wiring.stdin === 'number' ? wiring.stdin : fed ? 'write' : 'none',
      stdout: wiring.stdout ?? 'read',
      merge: stdout === 'log' && stderr === 'log',
    })
    handedOver = true
    const child = await start(checked, pipes, [services.signal, request.signal])
    try {
      return supervise({ request: { ...request, stdout, stderr }, checked, services, wiring, pipes, child })
    } catch (error) {
      // Nobody would look after it.
      child.signal('SIGKILL')
      throw error
    }
  } catch (error) {
    if (!handedOver) for (const fd of [wiring.stdin, wiring.stdout]) if (typeof fd === 'number') closeSync(fd)
    throw error
  }
}

async function start(
  checked: LocalRequest,
  pipes: Pipes,
  signals: readonly (AbortSignal | undefined)[],
): Promise<Child> {
  try {
    const signal = signals.find((each) => each?.aborted)
    if (signal) throw aborted(signal)({ command: checked.command, stderrTail: '' })
    return await startChild({ ...checked, stdin: pipes.stdin, stdout: pipes.stdout, stderr: pipes.stderr })
  } catch (error) {
    pipes.abandon()
    pipes.release()
    throw error
  } finally {
    pipes.handedOver()
  }
}
