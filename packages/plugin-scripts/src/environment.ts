import { accessSync, constants, statSync } from 'node:fs'
import { homedir } from 'node:os'
import type { RunContext, ServiceContext } from '@holdfast/sdk'
import type { ScriptsConfig } from './config.ts'
import type { ScriptDirectory } from './hooks.ts'
import { findProgram } from './shebang.ts'

/** The commands that scripts call. */
const commands = ['save_var', 'store_var', 'load_var', 'save_artifact']

/** Every variable that scripts get from us. One that doesn't apply is empty, whatever a run around this one has set. */
const variables = [
  'HOLDFAST_RUN_ID',
  'HOLDFAST_PLAN',
  'HOLDFAST_HOOK',
  'HOLDFAST_TARGET',
  'HOLDFAST_ATTEMPT',
  'HOLDFAST_VARS',
  'HOLDFAST_STATUS',
  'HOLDFAST_RESTORE_TO',
  'HOLDFAST_ARTIFACT_SOCKET',
  'HOLDFAST_ARTIFACT_TOKEN',
  'HOLDFAST_ARTIFACT_ID',
  'HOLDFAST_ARTIFACT_NAME',
  'HOLDFAST_ARTIFACT_SIZE',
  'HOLDFAST_ARTIFACT_SHA256',
  'HOLDFAST_DRILL',
  'HOLDFAST_DRILL_DIRECTORY',
  'HOLDFAST_DRILL_SUFFIX',
  'HOLDFAST_POINT_ID',
  'HOLDFAST_POINT_CREATED_AT',
  'HOLDFAST_RESTORED',
  'HOLDFAST_ERROR_CODE',
  'HOLDFAST_ERROR_MESSAGE',
  'HOLDFAST_ERROR_HOOK',
  'HOLDFAST_ERROR_SCRIPT',
  'HOLDFAST_ERROR_EXIT_CODE',
] as const

/** Variables for scripts, added to the inherited environment. */
export type ScriptEnvironment = { readonly [Name in (typeof variables)[number]]?: string } & Readonly<
  Record<string, string>
>

/**
 * The `PATH` of scripts: the inherited one, and after it the directory of our commands if one of them isn't found.
 *
 * @param bin - the directory of our commands; `undefined` where nobody said
 */
export function searchPathOf(bin: string | undefined, inherited: string): string {
  if (bin === undefined || commands.every((command) => findProgram(command, inherited) !== undefined)) return inherited
  return inherited === '' ? bin : `${inherited}:${bin}`
}

/** The directory of our commands: the option, else what the application says. */
export function binOf(config: Pick<ScriptsConfig, 'bin'>): string | undefined {
  return config.bin ?? (process.env.HOLDFAST_BIN || undefined)
}

/** What scripts do for a drill. */
export type DrillPart = 'expect' | 'cleanup'

/** Who a run's script is and where it finds the run's variables. */
export function runVariables(
  ctx: Pick<RunContext<unknown>, 'run' | 'vars'>,
  directory: ScriptDirectory | DrillPart,
  target: string,
): ScriptEnvironment {
  return {
    HOLDFAST_RUN_ID: ctx.run.id,
    HOLDFAST_PLAN: ctx.run.plan,
    HOLDFAST_HOOK: directory,
    HOLDFAST_TARGET: target,
    HOLDFAST_ATTEMPT: String(ctx.run.attempt),
    HOLDFAST_VARS: ctx.vars.directory,
    // An observer is told that it is a drill that failed, and no backup.
    ...(ctx.run.drill !== undefined && { HOLDFAST_DRILL: ctx.run.drill }),
  }
}

/** What a script starts with besides its own variables. */
export interface Surroundings {
  /** The working directory. */
  readonly home: string
  /** The same for every script of a hook. */
  readonly env: ScriptEnvironment
}

/**
 * Working directory and environment of a hook's scripts. They start in `$HOME`; where that can't be written to (a
 * read-only image, a user without a home), a workspace takes its place and its name.
 */
export async function surroundingsFor(
  ctx: Pick<ServiceContext<ScriptsConfig>, 'config' | 'workspace'>,
  searchPath: string,
  env: ScriptEnvironment,
): Promise<Surroundings> {
  const own = process.env.HOME || homedir()
  const home = isWritableDirectory(own) ? own : await ctx.workspace()
  const stale = Object.fromEntries(variables.filter((name) => process.env[name]).map((name) => [name, '']))
  const bin = binOf(ctx.config)
  return {
    home,
    env: {
      ...stale,
      HOME: home,
      PATH: searchPath,
      // For save_artifact: the Node that runs us may not be on PATH.
      HOLDFAST_NODE: process.execPath,
      ...(bin !== undefined && { HOLDFAST_BIN: bin }),
      ...env,
    },
  }
}

function isWritableDirectory(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
