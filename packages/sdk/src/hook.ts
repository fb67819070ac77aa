import type { Permission } from './kubernetes.ts'
import type { HookEntry, HookName } from './lifecycle.ts'
import type { UndoDefinition } from './undo.ts'

/** What a hook module declares beside its code. */
export interface DefineHookExtras {
  /** Target id, name in errors and in `explain`; default: the file's name. */
  readonly name?: string | undefined
  /** The undos its code arms. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a list of undos of different inputs
  readonly undos?: readonly UndoDefinition<any, any>[] | undefined
  /** What it needs from the Kubernetes API. */
  readonly permissions?: readonly Permission[] | undefined
}

/** A hook module of one hook. */
export interface HookModuleOf<Name extends HookName> extends DefineHookExtras {
  readonly $type: 'holdfast.hook/v1'
  readonly hook: Name
  readonly entry: HookEntry<Name, unknown>
}

/** A user's own TypeScript hook. */
export type HookModule = { [Name in HookName]: HookModuleOf<Name> }[HookName]

/**
 * Defines a hook of your own, in a file that a plan names.
 *
 * @param hook - which hook; a wrong name does not compile
 * @param entry - the code, or the code with `order`, `timeout` and `retry`
 * @param extras - a name, undos, permissions
 * @example
 * ```ts
 * export default defineHook('onFinish', ({ outcome, log }) => log.info(outcome.status))
 * ```
 */
export function defineHook<Name extends HookName>(
  hook: Name,
  entry: HookEntry<Name, unknown>,
  extras: DefineHookExtras = {},
): HookModuleOf<Name> {
  return { ...extras, $type: 'holdfast.hook/v1', hook, entry }
}
