import { defineErrors } from '@holdfast/sdk'

/** Why somebody was not told. */
export const notifyErrors = defineErrors(
  {
    NOTIFIER_INVALID: {
      message: (p: { what: string; reason: string }) => `${p.what} is no notifier: ${p.reason}`,
      hint: 'Nobody would be told by it. Use webhook, slack, email or ping, or what defineNotifier made, called with its options.',
    },
    NOTIFIER_OPTIONS: {
      message: (p: { notifier: string; reason: string; suggestion?: string | undefined }) =>
        `notifier "${p.notifier}": ${p.reason}`,
      hint: (p) =>
        `${p.suggestion ?? ''}Nobody would be told by it. What each of them takes is in docs/notifications.md.`,
    },
    NOTIFIER_DUPLICATE: {
      message: (p: { name: string }) => `two notifiers of the same list are called "${p.name}"`,
      hint: 'Metrics and the log could not tell them apart. Give one another `name`.',
    },
    NOTIFIER_SHARED: {
      message: (p: { name: string; sharing: string }) => `the check of "${p.name}" is one for all of: ${p.sharing}`,
      hint: "The success of one hides the failure of another. Add path: '{name}', so that each has a check of its own, or give each its own `notify`.",
    },
    NOTIFY_FAILED: {
      message: (p: { sink: string; subject: string; reason: string }) =>
        `"${p.sink}" could not be told that ${p.subject}: ${p.reason}`,
      hint: (p) =>
        `The run is as it was, only nobody heard of it there. \`holdfast notify test ${p.sink}\` tries it again.`,
    },
    NOTIFY_UNREACHABLE: {
      message: (p: { host: string; reason: string }) => `${p.host} could not be told: ${p.reason}`,
      hint: 'It is tried again. Look at the network, or at the service.',
      retryable: true,
    },
    NOTIFY_REFUSED: {
      message: (p: { reason: string }) => p.reason,
      hint: 'Trying again would not help. Look at the address, the key or the certificate.',
    },
  },
  'docs/errors.md',
)
