import type { Notification, NotifierContext, SlackOptions } from '@holdfast/sdk'
import { sendHttp } from './http.ts'
import { openText } from './open-text.ts'

/** Slack cuts what is longer than 4,000 characters in pieces. */
const longest = 3500

/** Writes a notification into a channel. */
export async function sendSlack(
  { subject, text }: Notification,
  { config, secrets, signal }: NotifierContext<SlackOptions>,
): Promise<void> {
  const { url, channel, username, ca } = config
  const whole = `*${escaped(subject)}*\n${escaped(text)}`
  const shown = whole.length > longest ? `${whole.slice(0, longest).toWellFormed()}…` : whole
  await sendHttp({
    url: await openText(url, secrets),
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: shown, channel, username }),
    ca,
    signal,
  })
}

/** What would call everybody (`<!channel>`) or be a link is text. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
