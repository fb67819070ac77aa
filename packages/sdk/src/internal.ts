// What the runtime reads of objects that the SDK made. Not for plugins: nothing here is promised.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Json } from './json.ts'
import type { Notification, NotificationOccasion } from './notification.ts'
import type { Notifier, NotifierContext, NotifierSettings } from './notify.ts'
import type { Plugin, PluginDefinition } from './plugin.ts'

export { secretAsText } from './secret.ts'

/** A global symbol, so that two copies of the SDK understand each other. */
export const pluginInternals: unique symbol = Symbol.for('holdfast.plugin.internals') as never

/** What a configured plugin carries for the runtime. */
export interface PluginInternals {
  readonly definition: PluginDefinition<StandardSchemaV1, Json, StandardSchemaV1>
  /** As given, before validation. */
  readonly options: unknown
  /** The plugin's name, or the one its user gave it. */
  readonly instance: string
}

/** The internals of a configured plugin; `undefined` for anything else. */
export function internalsOf(plugin: Plugin): PluginInternals | undefined {
  return (plugin as unknown as Record<symbol, PluginInternals | undefined>)[pluginInternals]
}

/** As {@link pluginInternals}. */
export const notifierInternals: unique symbol = Symbol.for('holdfast.notifier.internals') as never

/** What a notifier carries for the runtime. */
export interface NotifierInternals {
  /** `undefined`: one of ours, which the runtime has. */
  readonly definition?:
    | {
        readonly name: string
        readonly config: StandardSchemaV1
        readonly on?: readonly NotificationOccasion[] | undefined
        send(notification: Notification, ctx: NotifierContext): unknown
      }
    | undefined
  /** As given, before validation. */
  readonly options: unknown
  readonly settings: NotifierSettings
}

/** The internals of a notifier; `undefined` for anything else. */
export function notifierInternalsOf(notifier: Notifier): NotifierInternals | undefined {
  return (notifier as unknown as Record<symbol, NotifierInternals | undefined>)[notifierInternals]
}

/** The version of this SDK's contract: what a plugin's `sdk` range is checked against. */
export const sdkVersion = '1.0.0'
