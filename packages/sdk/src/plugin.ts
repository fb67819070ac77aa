import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CheckContext, RunContext } from './context.ts'
import { pluginInternals } from './internal.ts'
import type { Awaitable, Json } from './json.ts'
import type { Permission } from './kubernetes.ts'
import type { Hooks } from './lifecycle.ts'
import type { PlannedStep } from './planned-step.ts'
import type { RestoreDefinition } from './restore.ts'
import type { Target } from './run.ts'
import type { UndoDefinition } from './undo.ts'

type Output<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>

/** Everything a plugin is. */
export interface PluginDefinition<S extends StandardSchemaV1, Data extends Json, R extends StandardSchemaV1> {
  readonly name: string
  readonly version: string
  /** The SDK range it was built against; checked at load. */
  readonly sdk: `^${number}.${number}`
  /** Validates the options; any Standard Schema. Make it strict: an unknown key is a typo. */
  readonly config: S
  readonly permissions?: ((config: Output<S>) => readonly Permission[]) | undefined
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a list of undos of different inputs
  readonly undos?: readonly UndoDefinition<any, any>[] | undefined
  /** Default: one target named after the instance. None found is a failure unless the plan says `allowEmpty`. */
  readonly targets?: (ctx: CheckContext<Output<S>>) => AsyncIterable<Target<Data>> | Awaitable<readonly Target<Data>[]>
  /** What a run would do for a target, for `holdfast plan`. */
  readonly describe?: (
    ctx: CheckContext<Output<S>> & { readonly target: Target<Data> },
  ) => Awaitable<readonly PlannedStep[]>
  readonly hooks: Hooks<Output<S>, NoInfer<Data>>
  readonly restore?: RestoreDefinition<Output<S>, R> | undefined
  /**
   * `holdfast <plugin> <command> …`, for what fits no hook.
   *
   * @experimental
   */
  readonly commands?: Readonly<
    Record<
      string,
      { readonly summary: string; run(ctx: RunContext<Output<S>>, args: readonly string[]): Awaitable<number> }
    >
  >
}

/** A configured plugin, ready to be named in a plan's `use`. */
export interface Plugin {
  readonly $type: 'holdfast.plugin/v1'
  readonly name: string
  readonly version: string
}

/** Makes configured plugins. */
export interface PluginFactory<Options> {
  /**
   * @param options - validated when the configuration is loaded
   * @param instance - a name, where a plan uses the same plugin twice
   */
  (options: Options, instance?: { readonly name?: string | undefined }): Plugin
  readonly definition: { readonly name: string; readonly version: string; readonly config: StandardSchemaV1 }
}

/**
 * Defines a plugin.
 *
 * @returns a factory: call it with options inside a plan's `use`
 * @example
 * ```ts
 * export const hello = definePlugin({
 *   name: 'hello',
 *   version: '1.0.0',
 *   sdk: '^1.0',
 *   config: z.strictObject({ greeting: z.string() }),
 *   hooks: {
 *     backups: (ctx) => ctx.createArtifact('greeting', (sink) => sink.write(Buffer.from(ctx.config.greeting))),
 *   },
 * })
 * ```
 */
export function definePlugin<
  S extends StandardSchemaV1,
  Data extends Json = Json,
  R extends StandardSchemaV1 = StandardSchemaV1,
>(definition: PluginDefinition<S, Data, R>): PluginFactory<StandardSchemaV1.InferInput<S>> {
  const factory = (
    options: StandardSchemaV1.InferInput<S>,
    instance?: { readonly name?: string | undefined },
  ): Plugin => {
    const plugin: Plugin = {
      $type: 'holdfast.plugin/v1',
      name: instance?.name ?? definition.name,
      version: definition.version,
    }
    // Not enumerable: a plugin that is printed or dumped shows no options.
    Object.defineProperty(plugin, pluginInternals, { value: { definition, options, instance: plugin.name } })
    return plugin
  }
  return Object.assign(factory, { definition })
}
