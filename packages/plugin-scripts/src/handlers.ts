import {
  isDuration,
  isHoldfastError,
  type CheckContext,
  type Duration,
  type FinishContext,
  type HookEntry,
  type HookHandler,
  type HookName,
  type HoldfastError,
  type Hooks,
  type RunContext,
  type TargetContext,
  type VerifyContext,
} from '@holdfast/sdk'
import { ArtifactServer } from './artifact-server.ts'
import { artifactOf, artifactVariables } from './artifact-variables.ts'
import { checkScriptSet, refusal } from './check.ts'
import type { ScriptsConfig } from './config.ts'
import { surroundingsFor } from './environment.ts'
import { errors } from './errors.ts'
import { observingScriptsOf, scriptsOf, type HookScripts } from './hook-scripts.ts'
import { directoryOf, type HookDirectory } from './hooks.ts'
import type { ScriptKind } from './kind.ts'
import { reportError } from './on-error.ts'
import { runScript } from './run-script.ts'
import { createRunSets, type RunSets } from './run-sets.ts'
import { readScriptSet, type ScriptSet } from './script-set.ts'

type Handler<Name extends HookName> = HookHandler<Name, ScriptsConfig>

/**
 * The hooks of a set of scripts: all of them, whatever the directories hold at the moment (see `kindOf`).
 *
 * @param target - what the set is called as a target
 * @param options - as given, perhaps not validated yet
 */
export function createHandlers(kind: ScriptKind, target: string, options: unknown): Hooks<ScriptsConfig> {
  const known = new WeakMap<ScriptsConfig, RunSets>()
  const setsOf = (config: ScriptsConfig): RunSets => {
    const sets = known.get(config) ?? createRunSets(config)
    known.set(config, sets)
    return sets
  }
  const warned = new Set<string>()

  async function validate(ctx: CheckContext<ScriptsConfig>): Promise<void> {
    const set = ctx.phase === 'run' ? await setsOf(ctx.config).begin(ctx.plan) : await readScriptSet(ctx.config)
    const { problems, warnings } = checkScriptSet(set, kind)
    // Once per process: they are true before every run.
    for (const warning of warnings.filter((each) => !warned.has(each))) {
      warned.add(warning)
      ctx.log.warn(warning)
    }
    const refused = refusal(set.root, [...problems, ...(await runChecks(ctx, set, target))])
    if (refused) throw refused
  }

  const of = async (ctx: RunContext<ScriptsConfig>, hook: HookName): Promise<HookScripts> =>
    scriptsOf(ctx, await setsOf(ctx.config).of(ctx.run), directoryOf[hook], target)

  const series = (hook: HookName) => async (ctx: RunContext<ScriptsConfig>) => {
    const { scripts, run } = await of(ctx, hook)
    for (const [index, script] of scripts.entries()) {
      ctx.progress(index, scripts.length, script.name)
      await run(script)
    }
  }

  async function backups(ctx: TargetContext<ScriptsConfig>): Promise<void> {
    const { scripts, run } = await of(ctx, 'backups')
    // `validate` has refused it; without this, a set that lost its scripts would succeed with nothing.
    if (scripts.length === 0) throw errors.SCRIPTS_EMPTY({ path: (await setsOf(ctx.config).of(ctx.run)).root })
    const server = await ArtifactServer.listen(ctx)
    try {
      for (const [index, script] of scripts.entries()) {
        ctx.progress(index, scripts.length, script.name)
        await run(script, { env: server.begin(script.path) }).catch(async (error: unknown) => {
          await server.end(false)
          throw error
        })
        await server.end(true)
      }
    } finally {
      await server.close()
    }
  }

  async function verifyBackups(ctx: VerifyContext<ScriptsConfig>): Promise<void> {
    const { scripts, run } = await of(ctx, 'verifyBackups')
    const artifacts = ctx.points.map(artifactOf).filter((artifact) => artifact !== undefined)
    if (artifacts.length === 0 && scripts.length === 0) {
      ctx.skip('the scripts saved no artifact, and verify_backups has no script that could vouch for the backup')
    }
    if (artifacts.length === 0) for (const script of scripts) await run(script)
    for (const artifact of artifacts) {
      const env = artifactVariables(artifact)
      for (const script of scripts) await run(script, { env, stdin: ctx.openArtifact(artifact.id) })
    }
  }

  const observing = (hook: 'onError' | 'onFinish') => async (ctx: FinishContext<ScriptsConfig>) => {
    const sets = setsOf(ctx.config)
    const { env, sentence } = reportError(ctx.outcome)
    const { scripts, run } = await observingScriptsOf(ctx, await sets.of(ctx.run), directoryOf[hook], target, {
      HOLDFAST_STATUS: ctx.outcome.status,
      ...(hook === 'onError' && env),
    })
    const failures: unknown[] = []
    for (const script of scripts) {
      try {
        await run(script, hook === 'onError' ? { arguments: [sentence] } : {})
      } catch (error) {
        if (ctx.signal.aborted) throw error
        ctx.log.error(error instanceof Error ? error.message : String(error), { script: script.path })
        failures.push(error)
      }
    }
    if (hook === 'onFinish') sets.end(ctx.run)
    // The first is the hook's; all are in the log.
    for (const failure of failures) throw failure
  }

  const timed = <Name extends HookName>(name: Name, handler: Handler<Name>): HookEntry<Name, ScriptsConfig> => ({
    handler,
    timeout: timeoutOf(options, directoryOf[name]),
  })

  return {
    installDependencies: timed('installDependencies', series('installDependencies')),
    validate: timed('validate', validate),
    beforeBackups: timed('beforeBackups', series('beforeBackups')),
    ...(kind === 'backs-up' && {
      backups: timed('backups', backups),
      verifyBackups: timed('verifyBackups', verifyBackups),
      pruneBackups: timed('pruneBackups', series('pruneBackups')),
    }),
    afterBackups: timed('afterBackups', series('afterBackups')),
    maintain: timed('maintain', series('maintain')),
    onError: timed('onError', observing('onError')),
    onFinish: timed('onFinish', observing('onFinish')),
  }
}

/** The scripts of `validate` are checks of the user's own; each that fails is one more problem. */
async function runChecks(
  ctx: CheckContext<ScriptsConfig>,
  set: ScriptSet,
  target: string,
): Promise<readonly HoldfastError[]> {
  const { scripts } = set.directories.validate
  if (scripts.length === 0) return []
  const env = { HOLDFAST_PLAN: ctx.plan, HOLDFAST_HOOK: 'validate', HOLDFAST_TARGET: target }
  const surroundings = await surroundingsFor(ctx, set.searchPath, env)
  const failures: HoldfastError[] = []
  for (const file of scripts) {
    try {
      await runScript(ctx, { file, surroundings })
    } catch (error) {
      if (!isHoldfastError(error) || ctx.signal.aborted) throw error
      failures.push(error)
    }
  }
  return failures
}

function timeoutOf(options: unknown, directory: HookDirectory): Duration | undefined {
  const { timeouts } = (options ?? {}) as { timeouts?: Readonly<Record<string, unknown>> }
  const timeout = timeouts?.[directory]
  return isDuration(timeout) ? timeout : undefined
}
