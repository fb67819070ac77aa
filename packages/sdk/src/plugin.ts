import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CheckContext, RunContext } from './context.ts'
import { pluginInternals } from './internal.ts'
import type { Awaitable, Bytes, Json } from './json.ts'
import type { Permission } from './kubernetes.ts'
import type { Hooks } from './lifecycle.ts'
import type { RestorePoint, Target } from './run.ts'
import type { UndoDefinition } from './undo.ts'

type Output<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>

/** One line of `holdfast plan`. */
export interface PlannedStep {
  readonly kind: 'exec' | 'api' | 'artifact' | 'undo' | 'delete'
  readonly what: string
  readonly where?: string | undefined
}

/** How a plugin's targets are restored. */
export interface RestoreDefinition<Config, Options extends StandardSchemaV1> {
  /** Validates `--to key=value …`. */
  readonly options: Options
  /**
   * What can be restored; default: the artifact store. `forRetention`: only what the retention of this very plan may count
   * and let go, where several plans keep points of one target in the same place.
   */
  points?(
    ctx: RunContext<Config>,
    filter: { readonly target?: string; readonly forRetention?: boolean },
  ): AsyncIterable<RestorePoint>
  run(
    ctx: RunContext<Config> & {
      readonly point: RestorePoint
      readonly options: Output<Options>
      readonly force: boolean
      openArtifact(id: string): Bytes
    },
  ): Awaitable<{ readonly where: Json }>
}

/** Everything a plugin is. */
export interface PluginDefinition<S extends StandardSchemaV1, Data extends Json, R extends StandardSchemaV1> {
  readonly name: string
  readonly version: string
  /** The SDK range it was built against; checked at load. */
  readonly sdk: `^${number}.${number}`
  /** Validates the options; any Standard Schema. Make it strict: an unknown key is a typo. */
  readonly config: S
  readonly permissions?: (config: Output<S>) => readonly Permission[]
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a list of undos of different inputs
  readonly undos?: readonly UndoDefinition<any, any>[]
  /** Default: one target named after the instance. None found is a failure unless the plan says `allowEmpty`. */
  readonly targets?: (ctx: CheckContext<Output<S>>) => AsyncIterable<Target<Data>> | Awaitable<readonly Target<Data>[]>
  /** What a run would do for a target, for `holdfast plan`. */
  readonly describe?: (
    ctx: CheckContext<Output<S>> & { readonly target: Target<Data> },
  ) => Awaitable<readonly PlannedStep[]>
  readonly hooks: Hooks<Output<S>, NoInfer<Data>>
  readonly restore?: RestoreDefinition<Output<S>, R>
  /** `holdfast <plugin> <command> …`, for what fits no hook. */
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
  (options: Options, instance?: { readonly name?: string }): Plugin
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
  const factory = (options: StandardSchemaV1.InferInput<S>, instance?: { readonly name?: string }): Plugin => {
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
