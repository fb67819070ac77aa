// The notifiers that come along. What they do is in the runtime: nothing is sent from here.
import type { Json } from './json.ts'
import type { Notification } from './notification.ts'
import { makeNotifier, type Notifier, type NotifierSettings } from './notify.ts'
import type { SecretRef } from './secret.ts'

/** Options of {@link webhook}. */
export interface WebhookOptions {
  /** Where to. A reference, where it holds a key. */
  readonly url: string | SecretRef
  /** Default `'POST'`. */
  readonly method?: 'POST' | 'PUT' | undefined
  /** Further headers, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string | SecretRef>> | undefined
  /** JSON whose texts are templates, a text that is sent as it is, or a function. Default: the whole notification. */
  readonly body?: Json | ((notification: Notification) => Json) | undefined
  /** File with certificates of authorities (PEM) that are trusted in place of the system's. */
  readonly ca?: string | undefined
}

/**
 * Sends notifications as JSON to a URL of yours.
 *
 * @example
 * ```ts
 * export const notify = [webhook({ url: 'https://alerts.example.com/holdfast', headers: { authorization: { env: 'ALERTS' } } })]
 * ```
 */
export function webhook(options: WebhookOptions, settings: NotifierSettings = {}): Notifier {
  return makeNotifier('webhook', { options, settings })
}

/** Options of {@link slack}. */
export interface SlackOptions {
  /** The incoming webhook, which is a secret: whoever has it can write there. */
  readonly url: SecretRef
  /** Where the service lets the sender choose: Mattermost, not Slack. */
  readonly channel?: string | undefined
  readonly username?: string | undefined
  /** As of {@link WebhookOptions}. */
  readonly ca?: string | undefined
}

/**
 * Writes into a channel of Slack, or of anything that takes Slack's incoming webhooks: Mattermost, Rocket.Chat, Zulip,
 * Discord (with `/slack` behind its URL).
 *
 * @example
 * ```ts
 * export const notify = [slack({ url: { env: 'SLACK_WEBHOOK' } })]
 * ```
 */
export function slack(options: SlackOptions, settings: NotifierSettings = {}): Notifier {
  return makeNotifier('slack', { options, settings })
}

/** Options of {@link email}. */
export interface EmailOptions {
  /** Name of the mail server. */
  readonly host: string
  /** Default: 587, with `tls` 465, with `none` 25. */
  readonly port?: number | undefined
  /** `starttls`: encrypted, or not sent. `tls`: from the first byte. `none`: for a relay on this machine. Default `'starttls'`. */
  readonly security?: 'starttls' | 'tls' | 'none' | undefined
  /** Who logs in. Default: nobody does. */
  readonly user?: string | SecretRef | undefined
  readonly password?: SecretRef | undefined
  readonly from: string | SecretRef
  readonly to: string | SecretRef | readonly (string | SecretRef)[]
  /** As of {@link WebhookOptions}. */
  readonly ca?: string | undefined
}

/**
 * Sends mail through a server that takes it by SMTP.
 *
 * @example
 * ```ts
 * export const notify = [email({ host: 'mail.example.com', from: 'backups@example.com', to: { env: 'ON_CALL' } })]
 * ```
 */
export function email(options: EmailOptions, settings: NotifierSettings = {}): Notifier {
  return makeNotifier('email', { options, settings })
}

/** Options of {@link ping}: `url`, or the addresses one by one. */
export interface PingOptions {
  /** Of a check: it is asked for when a run succeeded, with `/start` behind it when one begins, with `/fail` when one failed. */
  readonly url?: string | SecretRef | undefined
  /** Template behind `url`, for a check of each plan: `'{name}'`. Default: nothing. */
  readonly path?: string | undefined
  readonly start?: string | SecretRef | undefined
  readonly success?: string | SecretRef | undefined
  readonly fail?: string | SecretRef | undefined
  /** `'POST'` sends the text along. Default `'POST'`. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | undefined
  /** As of {@link WebhookOptions}. */
  readonly ca?: string | undefined
}

/**
 * Tells a check, of healthchecks.io or what works like it, that runs begin, succeed and fail. It notices, too, when
 * nothing is said any more.
 *
 * @example
 * ```ts
 * export const notify = [ping({ url: { env: 'PING_URL' }, path: '{name}' })]
 * ```
 */
export function ping(options: PingOptions, settings: NotifierSettings = {}): Notifier {
  return makeNotifier('ping', { options, settings })
}
