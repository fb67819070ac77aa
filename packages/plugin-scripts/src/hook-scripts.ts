import type { FinishContext, RunContext } from '@holdfast/sdk'
import type { ScriptsConfig } from './config.ts'
import { refusal } from './check.ts'
import { runVariables, surroundingsFor, type ScriptEnvironment, type Surroundings } from './environment.ts'
import type { ScriptDirectory } from './hooks.ts'
import { runScript, type ScriptCall } from './run-script.ts'
import type { Script } from './script.ts'
import type { ScriptSet } from './script-set.ts'
import { undoScript } from './undo-script.ts'

/** The scripts of one hook in one run, ready to be called. */
export interface HookScripts {
  readonly scripts: readonly Script[]
  /**
   * Runs one, with its undo armed before it starts.
   *
   * @throws HoldfastError `SCRIPT_…` when it didn't end well, `UNDO_NOT_ARMED` (then it didn't start)
   */
  run(script: Script, call?: Pick<ScriptCall, 'env' | 'arguments' | 'stdin'>): Promise<void>
}

/**
 * Prepares the scripts of a hook. A refused script must not run, and the hook must not go on as if it weren't there.
 *
 * @param target - what the set is called as a target
 * @throws HoldfastError what is wrong with the hook's scripts
 */
export async function scriptsOf(
  ctx: RunContext<ScriptsConfig>,
  set: ScriptSet,
  directory: ScriptDirectory,
  target: string,
  env?: ScriptEnvironment,
): Promise<HookScripts> {
  const refused = refusal(`${set.root}/${directory}`, set.directories[directory].problems)
  if (refused) throw refused
  return callable(ctx, set, directory, target, env)
}

/**
 * As {@link scriptsOf}, for observers: scripts that are fine run in any case, refused ones are named in the log. What
 * happened must be reported even if one of the reporters is broken.
 */
export async function observingScriptsOf(
  ctx: FinishContext<ScriptsConfig>,
  set: ScriptSet,
  directory: ScriptDirectory,
  target: string,
  env?: ScriptEnvironment,
): Promise<HookScripts> {
  for (const { message, hint } of set.directories[directory].problems) ctx.log.error(message, { hint })
  return callable(ctx, set, directory, target, env)
}

async function callable(
  ctx: RunContext<ScriptsConfig>,
  set: ScriptSet,
  directory: ScriptDirectory,
  target: string,
  env: ScriptEnvironment | undefined,
): Promise<HookScripts> {
  const { scripts } = set.directories[directory]
  if (scripts.length === 0) return { scripts, run: () => Promise.resolve() }
  const surroundings: Surroundings = await surroundingsFor(ctx, set.searchPath, {
    ...runVariables(ctx, directory, target),
    ...env,
  })
  return {
    scripts,
    async run(script, call) {
      if (script.undo) {
        const { name, path, interpreter, bytes } = script.undo
        await ctx.undo.arm(undoScript, {
          script: script.path,
          name,
          path,
          interpreter: [...interpreter],
          directory,
          target,
          base64: Buffer.from(bytes).toString('base64'),
        })
      }
      await runScript(ctx, { file: script, surroundings, ...call })
    },
  }
}
