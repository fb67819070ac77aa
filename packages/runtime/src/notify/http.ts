import { readFile } from 'node:fs/promises'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isHoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'

/** A request that tells somebody something. */
export interface HttpRequest {
  readonly url: string
  readonly method: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
  /** File with certificates that are trusted in place of the system's. */
  readonly ca?: string | undefined
  readonly signal: AbortSignal
}

/** Of an answer that says no, so much is read, for the message. */
const mostOfRefusal = 2048
/** And so much is shown. */
const mostShown = 200
/** What may be otherwise a moment later. */
const passing: ReadonlySet<number> = new Set([408, 425, 429])

/**
 * Sends one request, to nobody but its address: what it redirects to is not followed.
 *
 * @throws HoldfastError `NOTIFY_UNREACHABLE`, which trying again may help, or `NOTIFY_REFUSED`
 */
export async function sendHttp(request: HttpRequest): Promise<void> {
  const url = addressOf(request.url)
  try {
    const ca = request.ca === undefined ? undefined : await readCertificates(request.ca)
    await exchange(url, request, ca)
  } catch (error) {
    if (isHoldfastError(error)) throw error
    throw unreachable(url.host, error)
  }
}

/** The address that a text is. It is never repeated: it may hold a key. */
export function addressOf(text: string): URL {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw errors.NOTIFY_REFUSED({ reason: 'its address is no URL that begins with http:// or https://' })
}

/** Reads a file with certificates. */
export function readCertificates(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw errors.NOTIFY_REFUSED({ reason: `the certificates in ${file} can't be read: ${reasonOf(cause)}` }, { cause })
  })
}

/** Why nobody could be reached: whether trying again may help depends on it. */
export function unreachable(host: string, cause: unknown): Error {
  // What Node advises after it is for whoever starts Node.
  const [reason = ''] = reasonOf(cause).split('; if the root CA', 1)
  if (!isDistrust(cause)) return errors.NOTIFY_UNREACHABLE({ host, reason }, { cause })
  const refused = `${host} is not who it should be: ${reason}; for authorities of your own there is \`ca\``
  return errors.NOTIFY_REFUSED({ reason: refused }, { cause })
}

/** Whether it is the certificate; libraries keep its message, but not its code. */
function isDistrust(cause: unknown): boolean {
  const { code = '' } = cause as { readonly code?: string }
  return /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_VERIFY/.test(code) || /certificate|altnames/i.test(reasonOf(cause))
}

function exchange(url: URL, { method, headers, body, signal }: HttpRequest, ca: Buffer | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const { username, password } = url
  const auth = username === '' ? undefined : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const all = { 'user-agent': 'holdfast', ...length, ...headers }
  // A connection of its own: a kept one may have been closed by the other side meanwhile.
  const request = send(url, { method, headers: all, signal, agent: false, ca, auth }, (response) => {
    judge(response, url.host).then(resolve, reject)
  })
  request.on('error', reject)
  request.end(body)
  return promise
}

async function judge(response: IncomingMessage, host: string): Promise<void> {
  const { statusCode = 0 } = response
  try {
    if (statusCode >= 200 && statusCode < 300) return
    if (statusCode >= 300 && statusCode < 400) {
      const reason = `${host} answered ${statusCode}: it is somewhere else${elsewhere(response)}. Redirects are not followed; give the address itself`
      throw errors.NOTIFY_REFUSED({ reason })
    }
    const said = (await beginningOf(response)).replaceAll(/\s+/g, ' ').trim()
    const reason = `answered ${statusCode}${said === '' ? '' : `: ${said.slice(0, mostShown).toWellFormed()}`}`
    if (statusCode >= 500 || passing.has(statusCode)) throw errors.NOTIFY_UNREACHABLE({ host, reason: `it ${reason}` })
    throw errors.NOTIFY_REFUSED({ reason: `${host} ${reason}` })
  } finally {
    // However much there is still to come.
    response.destroy()
  }
}

function elsewhere({ headers: { location } }: IncomingMessage): string {
  return location !== undefined && URL.canParse(location) ? ` (${new URL(location).host})` : ''
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= mostOfRefusal) break
  }
  return Buffer.concat(chunks).toString('utf8', 0, mostOfRefusal)
}
