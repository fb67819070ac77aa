// `fridge`, as sidefridge's users know it: the same options, checks and log, on Holdfast's engine.
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { isHoldfastError } from '@holdfast/sdk'
import {
  createEngine,
  createMetrics,
  createRedactor,
  loadConfig,
  parseCron,
  rawOutput,
  validatePlan,
  type Engine,
  type LoadedConfig,
} from '@holdfast/runtime'
import { clusterOf } from '../cluster.ts'
import { environmentForm, environmentPlan, scriptsPath } from '../environment.ts'
import { copiesOfVariable, openStorageAt } from '../configuration.ts'
import { internalError } from '../internal-error.ts'
import { exitCode, exitCodeOfFailure, exitCodeOfRun, exitCodeOfSignal } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { openStorage } from '../modules.ts'
import { problemsIn } from '../problems.ts'
import { addressesOf, readSettings, type Settings } from '../settings.ts'
import { stopOnSignals } from '../stop-signals.ts'
import { writeCrontab } from './fridge-crontab.ts'
import { createFridgeLog, type FridgeLog } from './fridge-log.ts'
import { parseFridgeOptions, UsageError, type FridgeOptions } from './fridge-options.ts'

const usage = 'usage: fridge [-h] [-i] [-r] [-csp CONTAINER_SCRIPTS_PATH] [-c CRON_PATH]\n'
const help = `${usage}
Runs the scripts of before_backups, backups and after_backups, as sidefridge did.

options:
  -h, --help            show this help message and exit
  -i, --initialize      write the crontab and run the scripts of install_dependencies
  -r, --run             run the backup scripts once
  -csp PATH, --container-scripts-path PATH
                        directory that holds a directory of scripts per hook (default: /scripts)
  -c PATH, --cron-path PATH
                        crontab to write with -i (default: /etc/crontabs/root, where that can be written)

environment:
  CRON_BACKUP_SCHEDULE  when to run: minute hour day-of-month month weekday
  HOLDFAST_STORAGE      where save_artifact stores, such as file:///backups
  HOLDFAST_COPIES       further stores for the same, with blanks between them
  HOLDFAST_STATE_DIR    where the journal is

exit codes: 0 all went well, 1 something failed, 2 wrong usage, 4 some of it succeeded, 75 another run is going on,
78 (with -i) a script can't be run. Holdfast's own command line is \`holdfast\`.
`

/** Runs `fridge`. @returns the exit code */
export async function runFridge(args: readonly string[], io: Io): Promise<number> {
  const redactor = createRedactor()
  const write = (text: string): void => io.stdout.write(text)
  let settings: Settings
  let options: FridgeOptions
  try {
    options = parseFridgeOptions(args)
    settings = readSettings({}, io)
  } catch (error) {
    if (!(error instanceof UsageError) && !isHoldfastError(error)) throw error
    io.stderr.write(`${usage}fridge: error: ${error.message}\n`)
    return exitCode.usage
  }
  if (options.help) {
    write(help)
    return exitCode.ok
  }
  const { log, events } = createFridgeLog({ write, redactor, now: () => io.clock.now(), level: settings.logLevel })
  const path = resolve(io.cwd, scriptsPath(io.env, options.scriptsPath))
  const refused = check(options, path, io.env)
  if (refused !== undefined) {
    log.error(refused)
    return exitCode.failed
  }
  try {
    const loaded = await load(path, io)
    return await runWith({ options, path, io, settings, log, events, redactor, loaded })
  } catch (error) {
    const failure = isHoldfastError(error) ? error : internalError(error)
    for (const { message, hint } of problemsIn(failure)) log.error(message, { hint })
    return exitCodeOfFailure(failure)
  }
}

/** What sidefridge checked, in its order. */
function check(options: FridgeOptions, path: string, env: NodeJS.ProcessEnv): string | undefined {
  const schedule = env['CRON_BACKUP_SCHEDULE']
  if (schedule === undefined) return 'CRON_BACKUP_SCHEDULE is not set: it says when to run, such as "0 3 * * *"'
  try {
    parseCron(schedule.trim())
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return `CRON_BACKUP_SCHEDULE: ${error.message}. ${error.hint ?? ''}`
  }
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return `'${path}' is not a directory of scripts`
  if (!options.initialize && !options.run) return 'Nothing to do. Say -i or -r, or see fridge --help'
  return undefined
}

/** The environment's configuration, whatever files lie about. */
async function load(path: string, { env, cwd }: Io): Promise<LoadedConfig> {
  const variables = { ...env, HOLDFAST_CONFIG: undefined }
  // Nothing is ever found below this path.
  const nowhere = '/dev/null'
  const form = (): ReturnType<typeof environmentForm> => environmentForm(env, path)
  const defaultCopies = copiesOfVariable(addressesOf(env['HOLDFAST_COPIES']))
  const sources = { environmentForm: form, openStorage, defaultCopies }
  const loaded = await loadConfig({ cwd: nowhere, etc: nowhere, env: variables, ...sources })
  const storage = env['HOLDFAST_STORAGE']
  return storage ? { ...loaded, config: { ...loaded.config, storage: await openStorageAt(storage, cwd) } } : loaded
}

interface FridgeCall {
  readonly options: FridgeOptions
  readonly path: string
  readonly io: Io
  readonly settings: Settings
  readonly log: FridgeLog['log']
  readonly events: FridgeLog['events']
  readonly redactor: ReturnType<typeof createRedactor>
  readonly loaded: LoadedConfig
}

async function runWith(call: FridgeCall): Promise<number> {
  const { options, io, settings, log, events, redactor, loaded } = call
  const engine = createEngine({
    cluster: await clusterOf({ io, log }),
    config: loaded.config,
    stateDirectory: settings.stateDirectory,
    log,
    redactor,
    metrics: createMetrics({ log }),
    clock: io.clock,
    env: io.env,
    // Untouched, in order with our own lines, and not as JSON: descriptors 1 and 2 of this process.
    output: rawOutput({ stdout: 1, stderr: 2, log }),
    events,
  })
  const signals = stopOnSignals({ io, settings, log }, engine)
  try {
    if (options.initialize) {
      const code = await initialize(call, engine)
      if (code !== exitCode.ok) return signals.received() ? exitCodeOfSignal(signals.received()) : code
    }
    if (!options.run) return exitCode.ok
    log.info('Running...')
    await engine.recover()
    await engine.finishRecovery()
    const { outcome } = await engine.run(environmentPlan)
    if (outcome.status === 'skipped') log.error(outcome.error?.message ?? 'skipped', { hint: outcome.error?.hint })
    log.info('Finished running.')
    return signals.faulted() ? exitCode.failed : exitCodeOfRun(outcome, signals.received())
  } finally {
    signals.close()
    engine.close()
  }
}

async function initialize({ options, path, io, log }: FridgeCall, engine: Engine): Promise<number> {
  log.info('Initializing...')
  const problems = await validatePlan(engine.services, engine.plan(environmentPlan), 'load', AbortSignal.any([]))
  if (problems.length > 0) {
    for (const { message, hint } of problems.flatMap(problemsIn)) log.error(message, { hint })
    return exitCode.config
  }
  const schedule = (io.env['CRON_BACKUP_SCHEDULE'] ?? '').trim()
  const written = writeCrontab({ schedule, scriptsPath: path, cronPath: options.cronPath, cwd: io.cwd })
  if (written.error !== undefined) {
    log.error(written.error)
    return exitCode.failed
  }
  if (written.message !== undefined) log.info(written.message)
  await engine.recover()
  const { ok } = await engine.boot()
  if (!ok) return exitCode.failed
  await engine.finishRecovery()
  log.info('Initialization complete.')
  return exitCode.ok
}
