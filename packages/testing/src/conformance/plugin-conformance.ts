// What makes a plugin a good one. Plain data and plain errors: any test runner can run it, and none is needed.
import type { PluginFactory, UndoDefinition } from '@holdfast/sdk'
import type { ConformanceCase } from '../storage-conformance.ts'
import { heedsAbort } from './abort.ts'
import { doesWhatItDescribes } from './described.ts'
import { refusesTypos } from './options-typos.ts'
import { declaresPermissions } from './permissions.ts'
import type { PluginCase, PluginConformanceOptions } from './plugin-case.ts'
import { checksAreQuiet } from './quiet-checks.ts'
import { afterFailures, type Aftermath } from './second-run.ts'
import { tellsNoSecret } from './secrets.ts'
import { setStage } from './stage.ts'
import { undosRun } from './undos.ts'

/**
 * The plugins' conformance suite, on the real runner: what nobody thinks of testing, and everybody is woken up by.
 *
 * @param factory - what `definePlugin` made
 * @param cases - situations in which a run succeeds; each check makes things go wrong by itself
 * @example
 * ```ts
 * import { test } from 'node:test'
 *
 * const hello = definePlugin({
 *   name: 'hello',
 *   version: '1.0.0',
 *   sdk: '^1.0',
 *   config: z.strictObject({ greeting: z.string() }),
 *   describe: () => [{ kind: 'artifact', what: 'greeting' }],
 *   hooks: {
 *     backups: (ctx) => ctx.createArtifact('greeting', (sink) => sink.write(Buffer.from(ctx.config.greeting))),
 *   },
 * })
 * const cases = [{ name: 'plain', setUp: () => ({ options: { greeting: 'good evening' } }) }]
 * for (const { name, run } of pluginConformance(hello, cases)) void test(name, run)
 * ```
 */
export function pluginConformance<Options>(
  factory: PluginFactory<Options>,
  cases: readonly PluginCase<Options>[],
  options: PluginConformanceOptions = {},
): readonly ConformanceCase[] {
  if (cases.length === 0) throw new TypeError('without a case nothing would be tested')
  const undos = (factory.definition as { readonly undos?: readonly UndoDefinition<never>[] }).undos ?? []
  const rehearsed = cases.map((each) => {
    let armed: Promise<ReadonlySet<string>> | undefined
    let aftermath: Promise<Aftermath> | undefined
    return {
      undos: () => (armed ??= undosRun(factory, each)),
      aftermath: () => (aftermath ??= afterFailures(factory, each)),
    }
  })
  const checks: ConformanceCase[] = cases.flatMap((each, at) => [
    named(each, 'a misspelt option is refused by its name', () => refusesTypos(factory, each)),
    named(each, 'validate, targets and describe change nothing', async () => {
      await using stage = await setStage(factory, each)
      await checksAreQuiet(stage)
    }),
    named(each, 'a hook that is told to stop stops within the grace time', () => heedsAbort(factory, each)),
    ...(undos.length === 0
      ? []
      : [
          named(each, 'every armed undo runs, and may run again', async () => {
            await rehearsed[at]?.undos()
          }),
        ]),
    named(each, 'no secret is in any output', () => tellsNoSecret(factory, each)),
    named(each, 'the run after a failure succeeds', async () => {
      const { nextRun } = (await rehearsed[at]?.aftermath()) ?? {}
      if (nextRun !== undefined) throw new Error(nextRun)
    }),
    named(each, 'what was taken is given back, whatever fails', async () => {
      const { taken } = (await rehearsed[at]?.aftermath()) ?? {}
      if (taken !== undefined) throw new Error(taken)
    }),
    named(each, 'what is asked of the Kubernetes API is declared', () => declaresPermissions(factory, each)),
    named(each, 'a run does what describe says', () => doesWhatItDescribes(factory, each)),
  ])
  if (undos.length > 0) {
    checks.push({
      name: 'each of its undos is armed by a case',
      async run() {
        const armed = await Promise.all(rehearsed.map((each) => each.undos()))
        const missing = undos
          .map(({ name }) => name)
          .filter((name) => !armed.some((names) => names.has(name)) && options.neverArmed?.[name] === undefined)
        if (missing.length === 0) return
        throw new Error(
          `no case arms ${missing.map((name) => `"${name}"`).join(', ')}: arm it before the effect that it takes back (undo.arm), add a case in which that happens, or say under neverArmed why none can`,
        )
      },
    })
  }
  return checks
}

function named({ name }: Pick<PluginCase<unknown>, 'name'>, what: string, run: () => Promise<void>): ConformanceCase {
  return { name: `${name}: ${what}`, run }
}
