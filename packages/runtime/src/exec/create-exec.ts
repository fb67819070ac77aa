import type { Exec, Logger } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import type { ApiClient } from '../kubernetes/api-client.ts'
import type { Connection } from '../kubernetes/connection.ts'
import type { Redactor } from '../telemetry/redaction.ts'
import { startCommand, type ExecServices } from './command.ts'
import type { ExecOutput } from './output.ts'
import { runPipeline } from './pipeline.ts'
import { openSession } from './session.ts'

/** Options of {@link createExec}. */
export interface CreateExecOptions {
  readonly clock: RuntimeClock
  readonly redactor: Redactor
  /** Where the streams go that are `'log'`. */
  readonly output: ExecOutput
  /** Stops every command that was started here. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** Between TERM and KILL, in ms. @defaultValue 5000 */
  readonly killGraceMs?: number | undefined
  /** What commands inherit. @defaultValue the process's environment, as it is at each start */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Where containers are. Without it, commands in containers reject with `EXEC_NO_CLUSTER`. */
  readonly cluster?: { readonly connection: Connection; readonly api: ApiClient } | undefined
}

/**
 * Creates the SDK's `Exec` for commands on this machine; those in containers reject with `EXEC_NO_CLUSTER`.
 *
 * Where both streams of a command are `'log'`, they share one pipe: they arrive in the order in which they were
 * written, all as `stdout`, and `stderrTail` holds the last of both.
 */
export function createExec(options: CreateExecOptions): Exec {
  const { killGraceMs = 5000, env = process.env } = options
  const services: ExecServices = { ...options, killGraceMs, env }
  return {
    local: async (request) => (await startCommand(request, services)).result,
    pipeline: (stages) => runPipeline(stages, services),
    container: (where) => Promise.reject(errors.EXEC_NO_CLUSTER({ where: `the container "${where.container}"` })),
    session: async (where, request) => {
      if (where === 'local') return openSession(request, services)
      throw errors.EXEC_NO_CLUSTER({ where: `the container "${where.container}"` })
    },
  }
}
