import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { UndoContext } from './context.ts'
import type { Duration } from './duration.ts'
import type { Json } from './json.ts'

/** The name of an undo, carrying the type of its input. */
export interface UndoRef<Input extends Json> {
  readonly name: string
  readonly _input?: Input
}

/**
 * An operation that takes an effect back: thaw, unlock, delete a snapshot. It is registered by name, with JSON input,
 * so that it can still run after the process was killed. Idempotent: it looks at the world first.
 */
export interface UndoDefinition<Input extends Json, Config = unknown> extends UndoRef<Input> {
  readonly input: StandardSchemaV1<unknown, Input>
  readonly deadline: Duration
  run(input: Input, ctx: UndoContext<Config>): unknown
}

/** An undo that will run at the end of its window, unless disarmed. Disposing fires it. */
export interface ArmedUndo extends AsyncDisposable {
  /**
   * Runs the undo now, and retries it to its deadline. Once it has run, firing again does nothing.
   *
   * @throws HoldfastError `UNDO_FAILED`, or `UNDO_TAKEN` when another process ran it meanwhile
   */
  fire(): Promise<void>
  /** Forgets the undo: the effect is meant to stay. */
  disarm(): Promise<void>
}

/** Arms undos. `arm` is durable before it resolves: do the effect only afterwards. */
export interface Undos {
  /**
   * @throws HoldfastError `UNDO_NOT_ARMED` when it can't be written (then the effect must not happen),
   * `UNDO_NOT_REGISTERED` when the plugin or hook module doesn't list the undo
   */
  arm<Input extends Json>(undo: UndoRef<Input>, input: NoInfer<Input>): Promise<ArmedUndo>
}

/**
 * Defines an undo. List it in the plugin's or hook module's `undos`, then `await ctx.undo.arm(…)` before the effect.
 *
 * @example
 * ```ts
 * const thaw = defineUndo({
 *   name: 'thaw',
 *   input: pathSchema,
 *   deadline: '2m',
 *   run: ({ path }, { exec }) => exec.local({ command: ['fsfreeze', '--unfreeze', path] }),
 * })
 * ```
 */
export function defineUndo<S extends StandardSchemaV1<unknown, Json>, Config = unknown>(definition: {
  readonly name: string
  readonly input: S
  readonly deadline: Duration
  run(input: StandardSchemaV1.InferOutput<S>, ctx: UndoContext<Config>): unknown
}): UndoDefinition<StandardSchemaV1.InferOutput<S>, Config> {
  return definition
}
