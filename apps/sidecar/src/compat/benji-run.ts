// What the commands of Benji's Kubernetes tools have in common: a plan made of their arguments, on Holdfast's engine.
import { isHoldfastError, type Plan } from '@holdfast/sdk'
import { loadConfig, type LoadedConfig } from '@holdfast/runtime'
import { showRun } from '../commands/run.ts'
import { withStorage } from '../configuration.ts'
import { createContext, type CommandContext } from '../context.ts'
import { exitCode, exitCodeOfFailure, exitCodeOfRun, exitCodeOfSignal } from '../exit-codes.ts'
import { internalError } from '../internal-error.ts'
import type { Io } from '../io.ts'
import { openEngine, startEngine, type Session } from '../session.ts'
import { stopOnSignals, type StopSignals } from '../stop-signals.ts'
import { SelectionError } from './benji-backup-pvc-options.ts'
import { UsageError } from './fridge-options.ts'

/** `EX_USAGE`: what Benji's tools exit with where argparse has nothing to say. */
const exUsage = 64

/** A command: its name, and the first lines of its help. */
export interface BenjiProgram {
  readonly name: string
  readonly usage: string
  readonly help: string
}

/** What all of them take from the environment, for their help. */
export const benjiEnvironment = `environment:
  BENJI_INSTANCE      label of our versions, and job of our metrics (default: benji-k8s)
  BENJI_LOG_LEVEL     DEBUG, INFO, WARNING or ERROR (default: INFO)
  PROM_PUSH_GATEWAY   host:port or URL of a Pushgateway for Benji's old metrics; without a host it is 127.0.0.1
                      (default: nothing is pushed)
  POD_NAME            who reports events
  HOLDFAST_STATE_DIR  where the journal is
`

/**
 * Reads a command's arguments.
 *
 * @returns its options, or its exit code where it ends here: after its help, or what is wrong
 */
export function readArguments<Options extends { readonly help: boolean }>(
  { name, usage, help }: BenjiProgram,
  io: Io,
  parse: () => Options,
): Options | number {
  try {
    const options = parse()
    if (!options.help) return options
    io.stdout.write(`${usage}\n${help}`)
    return exitCode.ok
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    io.stderr.write(`${usage}${name}: error: ${error.message}\n`)
    return error instanceof SelectionError ? exUsage : exitCode.usage
  }
}

const levels: Readonly<Record<string, string>> = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' }

/** Calls a command's body with a context; its standard error is a log, to the last line. */
export async function withContext(io: Io, body: (context: CommandContext) => Promise<number>): Promise<number> {
  let context: CommandContext | undefined
  try {
    const logLevel = levels[io.env['BENJI_LOG_LEVEL']?.toUpperCase() ?? '']
    context = createContext(io, { logLevel }, 'run')
    return await body(context)
  } catch (error) {
    const failure = isHoldfastError(error) ? error : internalError(error)
    context ??= createContext({ ...io, env: {} }, {}, 'run')
    context.fail(failure)
    return exitCodeOfFailure(failure)
  }
}

/**
 * The configuration that a command's arguments mean, whatever files lie about.
 *
 * @throws HoldfastError `CONFIG_INVALID`
 */
export async function configurationOf({ io, settings }: CommandContext, plans: readonly Plan[]): Promise<LoadedConfig> {
  // Nothing is ever found below this path.
  const nowhere = '/dev/null'
  const env = { ...io.env, HOLDFAST_CONFIG: undefined }
  const loaded = await loadConfig({ cwd: nowhere, etc: nowhere, env, environmentForm: () => ({ plans }) })
  // Nothing is stored there, so nothing needs to be said about it.
  return { ...loaded, config: withStorage(loaded.config, settings.stateDirectory) }
}

/** An engine that was started: what earlier calls have left is given back. */
export interface StartedSession {
  readonly session: Session
  readonly context: CommandContext
  readonly signals: StopSignals
}

/** Calls a body with a started engine. */
export async function withSession(
  given: CommandContext,
  loaded: LoadedConfig,
  body: (started: StartedSession) => Promise<number>,
): Promise<number> {
  const { context, view, close } = showRun(given)
  const session = await openEngine(context, loaded, view)
  const signals = stopOnSignals(context, session.engine)
  try {
    const started = await startEngine(session, context)
    if (started.failed) return signals.received() ? exitCodeOfSignal(signals.received()) : exitCode.failed
    const code = await body({ session, context, signals })
    return signals.faulted() ? exitCode.failed : code
  } finally {
    signals.close()
    close()
    await session.close()
  }
}

/** How many calls of one command may run at once with one state directory. */
const slots = 8

/**
 * One plan under several names, for calls that run at once. All have all of them, so that each can give back what any
 * took.
 */
export function slotsOf(plan: Plan): readonly Plan[] {
  return Array.from({ length: slots }, (_, index) => ({
    ...plan,
    name: index === 0 ? plan.name : `${plan.name}-${index + 1}`,
  }))
}

/** Runs the first of these plans that is free. @returns the exit code of its run */
export async function runFree({ session, signals }: StartedSession, plans: readonly Plan[]): Promise<number> {
  const { engine } = session
  let code: number = exitCode.busy
  for (const [index, { name }] of plans.entries()) {
    const lock = engine.locks.tryAcquire(`plan-${name}`, `process ${process.pid}`)
    lock?.release()
    if (!lock && index < plans.length - 1) continue
    const { outcome } = await engine.run(name)
    code = exitCodeOfRun(outcome, signals.received())
    if (outcome.reason !== 'busy') break
  }
  return code
}
