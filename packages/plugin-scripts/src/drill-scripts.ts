import { stat } from 'node:fs/promises'
import {
  isHoldfastError,
  type DrillCleanupContext,
  type DrillContext,
  type Duration,
  type HoldfastError,
  type Json,
  type Permission,
} from '@holdfast/sdk'
import { artifactOf, artifactVariables } from './artifact-variables.ts'
import { refusal } from './check.ts'
import { readHookDirectory, readScript } from './discover.ts'
import {
  binOf,
  runVariables,
  searchPathOf,
  surroundingsFor,
  type DrillPart,
  type ScriptEnvironment,
} from './environment.ts'
import { errors } from './errors.ts'
import { permissionsForScripts } from './permissions.ts'
import { runScript } from './run-script.ts'
import { lintFiles, type Script } from './script.ts'

/** Options of {@link drillScripts}. */
export interface DrillScriptsOptions {
  /** A directory of scripts, which run in the order of their names, or one script. Absolute. */
  readonly path: string
  /** The longest that one script may take. Default: none beyond the drill's. */
  readonly timeout?: Duration | undefined
  /** Where `save_var` and `load_var` are, for scripts whose `PATH` lacks them. Default: `HOLDFAST_BIN`. */
  readonly bin?: string | undefined
}

/** What a drill calls of its scripts. */
export interface DrillScripts {
  /** What would keep them from running, all at once. */
  check(): Promise<readonly HoldfastError[]>
  /** For `expect`: the first script that fails fails the drill. */
  expect(ctx: DrillContext): Promise<void>
  /** For `cleanup`: all of them run; one that fails is tried again with the others. */
  cleanup(ctx: DrillCleanupContext): Promise<void>
  /** What they need from the Kubernetes API. */
  readonly permissions: readonly Permission[]
}

interface Read {
  readonly scripts: readonly Script[]
  readonly problems: readonly HoldfastError[]
  readonly searchPath: string
}

/**
 * Scripts that look at what a drill has restored, or remove it: any language, as the hooks of `scripts()` are. What they get
 * is in this package's README. They are read whenever they run.
 *
 * @example
 * ```ts
 * const { expect, cleanup } = drillScripts({ path: '/drills/shop' })
 * ```
 */
export function drillScripts(options: DrillScriptsOptions): DrillScripts {
  const { path, timeout, bin } = options
  const config = { timeout, bin }

  async function readScripts(): Promise<Read> {
    const isDirectory = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    )
    const { files, problems } = await (isDirectory ? readHookDirectory(path) : readScript(path))
    const searchPath = searchPathOf(binOf(config), process.env.PATH ?? '')
    const linted = lintFiles(files, searchPath)
    const undos = linted.scripts.flatMap(({ undo }) => (undo ? [errors.DRILL_SCRIPT_UNDO({ script: undo.path })] : []))
    const all = [...problems, ...linted.problems, ...undos]
    const isEmpty = linted.scripts.length === 0 && all.length === 0
    return {
      scripts: linted.scripts,
      problems: isEmpty ? [errors.DRILL_SCRIPTS_EMPTY({ path })] : all,
      searchPath,
    }
  }

  async function callAll(
    ctx: DrillContext | DrillCleanupContext,
    part: DrillPart,
    env: ScriptEnvironment,
    failed: (error: unknown) => void,
  ): Promise<void> {
    const { scripts, problems, searchPath } = await readScripts()
    const refused = refusal(path, problems)
    if (refused) throw refused
    const { exec, log, signal, workspace } = ctx
    const scriptContext = { config, exec, log, signal, workspace }
    const own = await surroundingsFor(scriptContext, searchPath, { ...runVariables(ctx, part, ctx.target), ...env })
    // What was restored is beside them; a cleanup may come after it is gone.
    const home = (await isThere(ctx.directory)) ? ctx.directory : own.home
    for (const file of scripts) {
      try {
        await runScript(scriptContext, { file, surroundings: { ...own, home } })
      } catch (error) {
        if (signal.aborted || !isHoldfastError(error)) throw error
        failed(error)
      }
    }
  }

  return {
    check: async () => (await readScripts()).problems,
    permissions: permissionsForScripts(path),
    expect: (ctx) =>
      callAll(ctx, 'expect', expectVariables(ctx), (error) => {
        throw error
      }),
    async cleanup(ctx) {
      const failures: unknown[] = []
      await callAll(ctx, 'cleanup', drillVariables(ctx), (error) => void failures.push(error))
      for (const failure of failures) throw failure
    },
  }
}

function expectVariables(ctx: DrillContext): ScriptEnvironment {
  const artifact = artifactOf(ctx.point)
  return {
    ...drillVariables(ctx),
    HOLDFAST_POINT_ID: ctx.point.id,
    HOLDFAST_POINT_CREATED_AT: ctx.point.createdAt.toISOString(),
    ...(artifact && artifactVariables(artifact)),
  }
}

function drillVariables(ctx: DrillContext | DrillCleanupContext): ScriptEnvironment {
  const options = Object.entries(ctx.options).map(([key, value]) => [
    `HOLDFAST_OPTION_${key.replaceAll(/[^A-Za-z0-9]/g, '_').toUpperCase()}`,
    value,
  ])
  return {
    HOLDFAST_DRILL: ctx.drill,
    HOLDFAST_DRILL_DIRECTORY: ctx.directory,
    HOLDFAST_DRILL_SUFFIX: ctx.suffix,
    HOLDFAST_RESTORED: asText(ctx.where),
    ...(Object.fromEntries(options) as Readonly<Record<string, string>>),
  }
}

/** Where something was restored to, as a script reads it: a text as it is, anything else as JSON. */
function asText(where: Json | undefined): string {
  if (where === undefined || where === null) return ''
  return typeof where === 'string' ? where : JSON.stringify(where)
}

async function isThere(directory: string): Promise<boolean> {
  return stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
