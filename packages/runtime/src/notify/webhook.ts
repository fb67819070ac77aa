import type { Json, Notification, NotifierContext, WebhookOptions } from '@holdfast/sdk'
import { sendHttp } from './http.ts'
import { openText } from './open-text.ts'
import { fillTemplate } from './template.ts'

/** Sends a notification as JSON. */
export async function sendWebhook(
  notification: Notification,
  { config, secrets, signal, redact }: NotifierContext<WebhookOptions>,
): Promise<void> {
  const { url, method = 'POST', body, ca } = config
  const made = bodyOf(body, notification, redact)
  const isText = typeof made === 'string'
  const own = await Promise.all(
    Object.entries(config.headers ?? {}).map(async ([name, value]) => [
      name.toLowerCase(),
      await openText(value, secrets),
    ]),
  )
  await sendHttp({
    url: await openText(url, secrets),
    method,
    headers: {
      'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
      ...(Object.fromEntries(own) as Record<string, string>),
    },
    body: isText ? made : JSON.stringify(made),
    ca,
    signal,
  })
}

function bodyOf(
  body: WebhookOptions['body'],
  notification: Notification,
  redact: (text: string) => string,
): Json | Notification {
  if (body === undefined) return notification
  // A function may know more than the notification, which is blanked already.
  if (typeof body === 'function') return withTexts(body(notification), redact)
  return withTexts(body, (text) => fillTemplate(text, notification))
}

/** The same with other texts, however deep they are. */
function withTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value)
  if (typeof value !== 'object' || value === null) return value
  if (isList(value)) return value.map((each) => withTexts(each, change))
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withTexts(each, change)]))
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value)
}
