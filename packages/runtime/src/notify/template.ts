import { formatDuration, type Notification } from '@holdfast/sdk'

/** What a placeholder stands for; a text that is empty where there is no such thing. */
const values = {
  kind: ({ kind }) => kind,
  subject: ({ subject }) => subject,
  text: ({ text }) => text,
  instance: ({ instance }) => instance,
  host: ({ host }) => host,
  plan: ({ plan }) => plan,
  drill: ({ drill }) => drill,
  name: ({ plan, drill }) => drill ?? plan,
  status: ({ run }) => run?.status,
  code: ({ code }) => code,
  run: ({ run }) => run?.id,
  trigger: ({ run }) => run?.trigger,
  duration: ({ run }) => (run?.durationMs === undefined ? undefined : formatDuration(run.durationMs)),
  failed: ({ targets }) => failedOf(targets).join(', '),
  undo: ({ undo }) => undo?.name,
  since: ({ since }) => since?.toISOString(),
  at: ({ at }) => at.toISOString(),
  error: ({ error }) => error?.message,
} satisfies Record<string, (notification: Notification) => string | undefined>

/** Every placeholder that a template may have. */
export const placeholders: readonly string[] = Object.keys(values)

// `{{` and `}}` are braces.
const token = /\{\{|\}\}|\{([^{}]*)\}/g

/** What stands between the braces of a template, in its order. */
export function placeholdersOf(template: string): readonly string[] {
  return [...template.matchAll(token)].flatMap(([, name]) => name ?? [])
}

/**
 * Fills in a template that has been checked.
 *
 * @param encode - applied to each value
 */
export function fillTemplate(
  template: string,
  notification: Notification,
  encode: (value: string) => string = (same) => same,
): string {
  return template.replaceAll(token, (whole, name: string | undefined) => {
    if (name === undefined) return whole.charAt(0)
    return isPlaceholder(name) ? encode(values[name](notification) ?? '') : whole
  })
}

/** The targets that were not backed up, or not in a way that can be read back. */
export function failedOf(targets: Notification['targets']): readonly string[] {
  return targets
    .filter(({ status, verification }) =>
      status === 'succeeded' ? verification === 'unverified' : status !== 'skipped',
    )
    .map(({ id }) => id)
}

function isPlaceholder(name: string): name is keyof typeof values {
  return Object.hasOwn(values, name)
}
