import type { ContainerRef, ExecRequest, ExecResult, Logger, Meter } from '@holdfast/sdk'
import type { RuntimeClock } from '../../clock.ts'
import type { Redactor } from '../../telemetry/redaction.ts'
import type { ExecOutput } from '../output.ts'
import type { ExecCluster } from './services.ts'
import { startInContainer, type ContainerExecOptions } from './start.ts'

/** Options of {@link createContainerExec}. */
export interface CreateContainerExecOptions {
  readonly cluster: ExecCluster
  readonly clock: RuntimeClock
  readonly redactor: Redactor
  /** Where the streams go that are `'log'`. */
  readonly output: ExecOutput
  /** Stops every command that was started here. */
  readonly signal: AbortSignal
  readonly log: Logger
  readonly meter?: Meter | undefined
  /** Between TERM and KILL, in ms. @defaultValue 5000 */
  readonly killGraceMs?: number | undefined
  /** A number from 0 to 1; for tests. @defaultValue Math.random */
  readonly random?: (() => number) | undefined
}

/** Runs commands in containers. */
export interface ContainerExec {
  /**
   * Runs a command; what `Exec.container` of the SDK does, with a say in how.
   *
   * @throws HoldfastError `EXEC_…`; of a command that ended badly, `EXEC_FAILED` has its exit code in `details.exitCode`
   */
  run(where: ContainerRef, request: ExecRequest, options?: ContainerExecOptions): Promise<ExecResult>
}

/** Creates a {@link ContainerExec}: for programs that are nothing but an exec, such as kubectlexec. */
export function createContainerExec(options: CreateContainerExecOptions): ContainerExec {
  const { killGraceMs = 5000, random = Math.random, meter } = options
  const services = { ...options, killGraceMs, random, meter }
  return {
    run: async (where, request, how) => (await startInContainer(where, request, services, {}, how)).result,
  }
}
