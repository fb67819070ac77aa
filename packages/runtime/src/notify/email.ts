import { connect, type Socket } from 'node:net'
import { isHoldfastError, type EmailOptions, type Notification, type NotifierContext } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { readCertificates, unreachable } from './http.ts'
import { openText } from './open-text.ts'

const ports = { starttls: 587, tls: 465, none: 25 } as const

/** Sends a notification as mail. */
export async function sendEmail(
  notification: Notification,
  { config, secrets, signal }: NotifierContext<EmailOptions>,
): Promise<void> {
  const { host, security = 'starttls', port = ports[security] } = config
  const open = (given: Parameters<typeof openText>[0]): Promise<string> => openText(given, secrets)
  const to = Array.isArray(config.to)
    ? (config.to as readonly (typeof config.from)[])
    : [config.to as typeof config.from]
  const user = config.user === undefined ? undefined : await open(config.user)
  const pass = config.password === undefined ? '' : await open(config.password)
  const message = {
    from: await open(config.from),
    // One reference may hold several.
    to: (await Promise.all(to.map(open))).join(', '),
    subject: notification.subject,
    text: notification.text,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Holdfast-Kind': notification.kind },
  }
  const ca = config.ca === undefined ? undefined : await readCertificates(config.ca)
  const { createTransport } = await import('./mailer.ts')
  signal.throwIfAborted()
  // Ours, so that it ends when the time is up, whatever the library waits for.
  const socket = connect({ host, port })
  const stop = (): void => void socket.destroy(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await connected(socket)
    const transport = createTransport({
      host,
      port,
      connection: socket,
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      ...(user !== undefined && { auth: { user, pass } }),
      tls: { ...(ca && { ca }) },
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    await transport.sendMail(message)
  } catch (error) {
    signal.throwIfAborted()
    throw isHoldfastError(error) ? error : refusalOf(error, `${host}:${port}`)
  } finally {
    signal.removeEventListener('abort', stop)
    socket.destroy()
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve())
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
    // What comes later is told to whoever uses it.
    socket.on('error', () => {})
  })
}

/** What a server says no to with 5xx stays so, and so does who it is. */
function refusalOf(error: unknown, server: string): Error {
  const { responseCode = 0, code } = error as { readonly responseCode?: number; readonly code?: string }
  const isFinal = responseCode >= 500 || (responseCode === 0 && code === 'EENVELOPE')
  return isFinal
    ? errors.NOTIFY_REFUSED({ reason: `${server}: ${reasonOf(error)}` }, { cause: error })
    : unreachable(server, error)
}
