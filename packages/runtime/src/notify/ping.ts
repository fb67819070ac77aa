import type { Notification, NotifierContext, PingOptions } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { addressOf, sendHttp } from './http.ts'
import { openText } from './open-text.ts'
import { fillTemplate } from './template.ts'

type Signal = 'start' | 'success' | 'fail' | 'log'

const signals: Readonly<Record<Notification['kind'], Signal>> = {
  start: 'start',
  success: 'success',
  recovery: 'success',
  failure: 'fail',
  partial: 'fail',
  stale: 'fail',
  undo: 'fail',
  // Anything else would say how a run went.
  test: 'log',
}

/** Tells a check how it went. */
export async function sendPing(
  notification: Notification,
  { config, secrets, signal }: NotifierContext<PingOptions>,
): Promise<void> {
  // That a process could start is no success of its plan.
  if (notification.kind === 'recovery' && notification.run?.trigger === 'boot') return
  const address = await addressFor(signals[notification.kind], notification, config, secrets)
  if (address === undefined) return
  const { method = 'POST', ca } = config
  const { subject, text } = notification
  const body = method === 'POST' ? `${subject}\n\n${text}` : undefined
  const headers = body === undefined ? undefined : { 'content-type': 'text/plain; charset=utf-8' }
  await sendHttp({ url: address, method, headers, body, ca, signal })
}

async function addressFor(
  what: Signal,
  notification: Notification,
  config: PingOptions,
  secrets: NotifierContext['secrets'],
): Promise<string | undefined> {
  // What may be tried without saying how a run went: that one begins, and nothing comes of it.
  const own = what === 'log' ? (config.url === undefined ? config.start : undefined) : config[what]
  if (own !== undefined) return openText(own, secrets)
  if (config.url === undefined) {
    if (what !== 'log') return undefined
    throw errors.NOTIFY_REFUSED({
      reason: 'none of its addresses can be tried without saying that a run succeeded or failed',
    })
  }
  const url = addressOf(await openText(config.url, secrets))
  const path = fillTemplate(config.path ?? '', notification, encodeURIComponent)
  const parts = [url.pathname.replace(/\/$/, ''), path.replaceAll(/^\/|\/$/g, ''), what === 'success' ? '' : what]
  url.pathname = parts.filter((part, index) => index === 0 || part !== '').join('/')
  return url.href
}
