import type { NotificationOccasion } from '@holdfast/sdk'
import type { ResolvedNotifier } from '../load/resolved.ts'

/** A notifier that comes along. */
export interface Sender {
  /** What it tells of unless its user says otherwise. */
  readonly on: readonly NotificationOccasion[]
  /** Imported when it is used: few configurations have any, and none has all. */
  load(): Promise<ResolvedNotifier['send']>
}

/** What is worth a message. */
export const worthTelling: readonly NotificationOccasion[] = ['failure', 'partial', 'recovery', 'stale', 'undo']

/** All of them, by what they are. */
export const senders = {
  webhook: { on: worthTelling, load: async () => asSender((await import('./webhook.ts')).sendWebhook) },
  slack: { on: worthTelling, load: async () => asSender((await import('./slack.ts')).sendSlack) },
  email: { on: worthTelling, load: async () => asSender((await import('./email.ts')).sendEmail) },
  ping: {
    on: ['start', 'success', 'failure', 'partial', 'recovery'],
    load: async () => asSender((await import('./ping.ts')).sendPing),
  },
} satisfies Record<string, Sender>

/** Whether there is one of this kind. */
export function isSender(kind: string): kind is keyof typeof senders {
  return Object.hasOwn(senders, kind)
}

/** Their options have been validated by then. */
function asSender(send: (...args: never[]) => unknown): ResolvedNotifier['send'] {
  return send
}
