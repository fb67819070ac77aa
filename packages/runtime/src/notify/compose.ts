import type { Notification, NotificationTemplate } from '@holdfast/sdk'
import { reasonOf } from '../failure.ts'
import type { ResolvedNotifier } from '../load/resolved.ts'
import type { Redactor } from '../telemetry/redaction.ts'
import { fillTemplate } from './template.ts'
import { subjectOf, textOf, type Facts } from './words.ts'

/** No service takes more, and nobody reads it. */
const longestText = 20_000
const longestSubject = 200

/** What one notifier is told: known secrets are blanked (fault F54), and texts of errors only there where asked for (F55). */
export function compose(
  { errorTexts, subject, text }: Pick<ResolvedNotifier, 'errorTexts' | 'subject' | 'text'>,
  facts: Facts,
  redactor: Pick<Redactor, 'text'>,
): Notification {
  const shown = blanked({ ...facts, error: errorTexts ? facts.error : undefined }, redactor)
  const plain: Notification = { ...shown, subject: subjectOf(shown), text: textOf(shown) }
  const named: Notification = { ...plain, subject: oneLine(say(subject, plain.subject, plain, redactor)) }
  return { ...named, text: cut(say(text, plain.text, named, redactor), longestText) }
}

function say(
  template: NotificationTemplate | undefined,
  otherwise: string,
  notification: Notification,
  redactor: Pick<Redactor, 'text'>,
): string {
  if (template === undefined) return otherwise
  // Code of somebody's that fails must not keep anybody from being told.
  try {
    const said = typeof template === 'string' ? fillTemplate(template, notification) : template(notification)
    return redactor.text(said)
  } catch (error) {
    return redactor.text(`${otherwise}\n(the template failed: ${reasonOf(error)})`)
  }
}

/** A subject is a header of mail and the title of a message. */
function oneLine(text: string): string {
  return cut(text.replaceAll(/\s+/g, ' ').trim(), longestSubject)
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text
}

/** Each text for itself, however deep it is; dates stay what they are. */
function blanked<T>(value: T, redactor: Pick<Redactor, 'text'>): T {
  const visit = (each: unknown): unknown => {
    if (typeof each === 'string') return redactor.text(each)
    if (typeof each !== 'object' || each === null || each instanceof Date) return each
    if (Array.isArray(each)) return each.map(visit)
    return Object.fromEntries(Object.entries(each).map(([key, below]: [string, unknown]) => [key, visit(below)]))
  }
  return visit(value) as T
}
