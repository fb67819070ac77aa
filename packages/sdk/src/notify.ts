import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Clock, Logger } from './context.ts'
import type { Duration } from './duration.ts'
import { notifierInternals, type NotifierInternals } from './internal.ts'
import type { Notification, NotificationOccasion } from './notification.ts'
import type { Secrets } from './secret.ts'

/** A text with placeholders such as `{plan}`, or a function. An unknown placeholder is an error when it is loaded. */
export type NotificationTemplate = string | ((notification: Notification) => string)

/** What every notifier can be told, whatever it is. */
export interface NotifierSettings {
  /** Names it in metrics, in the log and in `holdfast notify test NAME`; unique within its list. Default: what it is. */
  readonly name?: string | undefined
  /** What it tells of. Default: `failure`, `partial`, `recovery`, `stale` and `undo`; of `ping` those of a check. */
  readonly on?: readonly NotificationOccasion[] | undefined
  /**
   * Whether it is told the texts of errors. They may quote what a hook or a database has said, and leave your cluster here;
   * codes and names it is always told. Default false.
   */
  readonly errorTexts?: boolean | undefined
  /** The one line that says it all. Default: ours. */
  readonly subject?: NotificationTemplate | undefined
  /** All that is to be said. Default: ours. */
  readonly text?: NotificationTemplate | undefined
  /** How long an attempt may take, and how long a process that ends waits for it. Default `'10s'`. */
  readonly timeout?: Duration | undefined
}

/**
 * What a notifier is called with, beside the notification.
 *
 * @experimental
 */
export interface NotifierContext<Config = unknown> {
  /** Its options, after validation. */
  readonly config: Config
  /** Aborts when the time is up. */
  readonly signal: AbortSignal
  /** 1 for the first. */
  readonly attempt: number
  readonly log: Logger
  readonly clock: Clock
  /** Opens references of its options. What was opened is blanked in every output. */
  readonly secrets: Secrets
  /** Blanks known secrets in a text that comes from elsewhere than the notification. */
  redact(text: string): string
}

/** Somebody, or something, that is told how backups went: an entry of `notify`. */
export interface Notifier {
  readonly $type: 'holdfast.notifier/v1'
  /** What it is: `slack`. */
  readonly kind: string
}

/**
 * What {@link defineNotifier} takes.
 *
 * @experimental
 */
export interface NotifierDefinition<S extends StandardSchemaV1> {
  /** What it is: its name where the configuration gives it none. */
  readonly name: string
  /** Validates the options; any Standard Schema. Make it strict: an unknown key is a typo. */
  readonly config: S
  /** What it tells of unless its user says otherwise. Default: `failure`, `partial`, `recovery`, `stale` and `undo`. */
  readonly on?: readonly NotificationOccasion[] | undefined
  /**
   * Tells it. What it throws is tried again, twice, unless it is a `HoldfastError` that is not retryable; in the end it is
   * counted, logged and noted with the run, whose result it never changes.
   */
  send(notification: Notification, ctx: NotifierContext<StandardSchemaV1.InferOutput<S>>): unknown
}

/**
 * Makes notifiers.
 *
 * @experimental
 */
export interface NotifierFactory<Options> {
  /** @param options - validated when the configuration is loaded */
  (options: Options, settings?: NotifierSettings): Notifier
  readonly definition: { readonly name: string; readonly config: StandardSchemaV1 }
}

/**
 * Defines a notifier of your own.
 *
 * @returns a factory: call it with options inside `notify`
 * @example
 * ```ts
 * export const pager = defineNotifier({
 *   name: 'pager',
 *   config: z.strictObject({ key: z.strictObject({ env: z.string() }) }),
 *   async send({ kind, subject, text }, { config, secrets, signal }) {
 *     const key = (await secrets.open(config.key)).reveal()
 *     const body = JSON.stringify({ key, summary: subject, details: text, resolved: kind === 'recovery' })
 *     const response = await fetch('https://pager.example.com/v2/events', { method: 'POST', body, signal })
 *     if (!response.ok) throw new Error(`it answered ${response.status}`)
 *   },
 * })
 * ```
 *
 * @experimental
 */
export function defineNotifier<S extends StandardSchemaV1>(
  definition: NotifierDefinition<S>,
): NotifierFactory<StandardSchemaV1.InferInput<S>> {
  const made = definition as unknown as NotifierInternals['definition']
  const factory = (options: StandardSchemaV1.InferInput<S>, settings: NotifierSettings = {}): Notifier =>
    makeNotifier(definition.name, { definition: made, options, settings })
  return Object.assign(factory, { definition })
}

/** What all factories make. Not exported from the package. */
export function makeNotifier(kind: string, internals: NotifierInternals): Notifier {
  const made: Notifier = { $type: 'holdfast.notifier/v1', kind }
  Object.defineProperty(made, notifierInternals, { value: internals })
  return Object.freeze(made)
}
