import type { ContainerRef, Exec, Logger, Meter } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import type { Redactor } from '../telemetry/redaction.ts'
import { startCommand, type ExecServices } from './command.ts'
import type { ContainerServices, ExecCluster } from './container/services.ts'
import { startInContainer } from './container/start.ts'
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
  /** The cluster whose containers commands can run in. @defaultValue none: they reject with `EXEC_NO_CLUSTER` */
  readonly cluster?: ExecCluster | undefined
  /** Counts what is run in containers. */
  readonly meter?: Meter | undefined
  /** A number from 0 to 1; for tests. @defaultValue Math.random */
  readonly random?: (() => number) | undefined
}

/**
 * Creates the SDK's `Exec`.
 *
 * Where both streams of a command on this machine are `'log'`, they share one pipe: they arrive in the order in which
 * they were written, all as `stdout`, and `stderrTail` holds the last of both.
 */
export function createExec(options: CreateExecOptions): Exec {
  const { killGraceMs = 5000, env = process.env, cluster, meter, random = Math.random } = options
  const services: ExecServices = { ...options, killGraceMs, env }
  const inContainers = (where: ContainerRef): ContainerServices => {
    if (!cluster) throw errors.EXEC_NO_CLUSTER({ where: `the container "${where.container}"` })
    return { ...services, cluster, meter, random }
  }
  return {
    local: async (request) => (await startCommand(request, services)).result,
    pipeline: (stages) => runPipeline(stages, services),
    container: async (where, request) => (await startInContainer(where, request, inContainers(where))).result,
    session(where, request) {
      return openSession(request, services, (wiring) =>
        where === 'local'
          ? startCommand(request, services, wiring)
          : startInContainer(where, request, inContainers(where), wiring),
      )
    },
  }
}
