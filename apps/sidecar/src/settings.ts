import { accessSync, constants, existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { isDuration, parseDuration } from '@holdfast/sdk'
import { listenForms, parseListenAddress, type ListenAddress, type LogLevel } from '@holdfast/runtime'
import { errors } from './errors.ts'
import type { Io } from './io.ts'

/** The options that every command has, as they were given. */
export interface GlobalOptions {
  readonly config?: string | undefined
  readonly stateDir?: string | undefined
  readonly storage?: string | undefined
  readonly logLevel?: string | undefined
  readonly logFormat?: string | undefined
  readonly json?: boolean | undefined
  readonly shutdownGrace?: string | undefined
  /** Of the daemon only. */
  readonly listen?: string | undefined
  readonly apiTokenFile?: string | undefined
}

/** The same after their variables and defaults. */
export interface Settings {
  /** `undefined`: it is looked for. */
  readonly config: string | undefined
  /** Absolute. It may not exist yet. */
  readonly stateDirectory: string
  /** A URL that wins over the configured store. */
  readonly storage: string | undefined
  /** A URL for configurations that name no store. */
  readonly defaultStorage: string | undefined
  /** URLs for configurations that name no copies. */
  readonly defaultCopies: readonly string[]
  readonly logLevel: LogLevel
  readonly logFormat: 'json' | 'pretty'
  readonly json: boolean
  readonly shutdownGraceMs: number
  /** `undefined`: where the configuration says. */
  readonly listen: ListenAddress | undefined
  /** Absolute; who has what is in it may tell the daemon to do things. `undefined`: nobody may. */
  readonly apiTokenFile: string | undefined
  /** Names besides the usual ones under which the daemon may be told to do things. */
  readonly apiHosts: readonly string[]
}

/** The levels of `--log-level`. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const satisfies readonly LogLevel[]
/** The forms of `--log-format`. */
export const logFormats = ['json', 'pretty'] as const

/**
 * Completes the global options: the option, else its variable, else its default.
 *
 * @throws HoldfastError `OPTION_INVALID`
 */
export function readSettings(options: GlobalOptions, io: Pick<Io, 'env' | 'cwd' | 'stderr'>): Settings {
  const { env, cwd, stderr } = io
  const grace = options.shutdownGrace ?? nonEmpty(env['HOLDFAST_SHUTDOWN_GRACE']) ?? '25s'
  if (!isDuration(grace)) {
    const allowed = 'a number with ms, s, m, h or d, such as 25s'
    throw errors.OPTION_INVALID({ option: '--shutdown-grace', value: grace, allowed })
  }
  const address = options.listen ?? nonEmpty(env['HOLDFAST_LISTEN'])
  const listen = address === undefined ? undefined : parseListenAddress(address)
  if (address !== undefined && !listen) {
    throw errors.OPTION_INVALID({ option: '--listen', value: address, allowed: listenForms })
  }
  const tokenFile = options.apiTokenFile ?? nonEmpty(env['HOLDFAST_API_TOKEN_FILE'])
  const stateDirectory = options.stateDir ?? nonEmpty(env['HOLDFAST_STATE_DIR'])
  return {
    config: options.config,
    stateDirectory: stateDirectory === undefined ? defaultStateDirectory(env) : resolve(cwd, stateDirectory),
    storage: options.storage,
    defaultStorage: nonEmpty(env['HOLDFAST_STORAGE']),
    defaultCopies: addressesOf(env['HOLDFAST_COPIES']),
    logLevel: oneOf('--log-level', logLevels, options.logLevel ?? nonEmpty(env['HOLDFAST_LOG_LEVEL']) ?? 'info'),
    logFormat: oneOf(
      '--log-format',
      logFormats,
      options.logFormat ?? nonEmpty(env['HOLDFAST_LOG_FORMAT']) ?? (stderr.isTTY ? 'pretty' : 'json'),
    ),
    json: options.json ?? false,
    shutdownGraceMs: parseDuration(grace),
    listen,
    apiTokenFile: tokenFile === undefined ? undefined : resolve(cwd, tokenFile),
    apiHosts: (env['HOLDFAST_API_HOSTS'] ?? '').split(/\s+/).filter((name) => name !== ''),
  }
}

/** `/var/lib/holdfast` where it can be written or made, else a directory of the user's own. */
export function defaultStateDirectory(env: NodeJS.ProcessEnv, system = '/var/lib/holdfast'): string {
  if (isWritable(existsSync(system) ? system : dirname(system))) return system
  const state = nonEmpty(env['XDG_STATE_HOME']) ?? join(nonEmpty(env['HOME']) ?? homedir(), '.local/state')
  return join(state, 'holdfast')
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

function oneOf<const Value extends string>(option: string, allowed: readonly Value[], value: string): Value {
  const found = allowed.find((each) => each === value)
  if (found === undefined) throw errors.OPTION_INVALID({ option, value, allowed: allowed.join(', ') })
  return found
}

/**
 * A number of things that an option asks for.
 *
 * @throws HoldfastError `OPTION_INVALID`
 */
export function positiveInteger(option: string, value: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw errors.OPTION_INVALID({ option, value, allowed: 'a whole number from 1' })
}

/** Addresses of stores with blanks or line breaks between them. */
export function addressesOf(value: string | undefined): readonly string[] {
  return (value ?? '').split(/\s+/).filter((address) => address !== '')
}

/** An empty variable is one that isn't set: templates leave them behind. */
function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}
