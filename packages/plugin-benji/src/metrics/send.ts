import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Clock } from '@holdfast/sdk'

/** The longest that a Pushgateway is waited for. */
const timeout = '30s'
/** Of an answer that is not asked for, so much is read, for messages. */
const mostOfRefusal = 1000
/** Of an answer that is asked for. */
const mostOfAnswer = 64 * 2 ** 20

/** A request to a Pushgateway. */
export interface GatewayRequest {
  readonly gateway: URL
  readonly method: 'PUT' | 'DELETE' | 'GET'
  /** Below the address. */
  readonly path: string
  readonly body?: string | undefined
}

/**
 * Sends one request.
 *
 * @returns the answer's body
 * @throws Error with the reason in one line
 */
export async function sendToGateway(
  { gateway, method, path, body }: GatewayRequest,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string> {
  const settled = new AbortController()
  const stop = new AbortController()
  const stopped = (): void => stop.abort(new Error('the run was stopped'))
  signal.addEventListener('abort', stopped, { once: true })
  if (signal.aborted) stopped()
  void clock.sleep(timeout, settled.signal).then(
    () => stop.abort(new Error(`no answer within ${timeout}`)),
    () => {},
  )
  try {
    return await exchange({ gateway, method, path, body }, stop.signal)
  } catch (error) {
    throw stop.signal.aborted ? (stop.signal.reason as Error) : error
  } finally {
    signal.removeEventListener('abort', stopped)
    settled.abort(new Error('it is settled'))
  }
}

function exchange({ gateway, method, path, body }: GatewayRequest, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const url = new URL(gateway)
  url.pathname = `${gateway.pathname.replace(/\/$/, '')}${path}`
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const headers = body === undefined ? {} : { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }
  // A connection of its own: pushes are minutes apart, and a kept one may be closed by the other side meanwhile.
  const request = send(url, { method, headers, signal, agent: false }, (response) => {
    read(response, method).then(resolve, reject)
  })
  request.on('error', reject)
  request.end(body)
  return promise
}

async function read(response: IncomingMessage, method: GatewayRequest['method']): Promise<string> {
  const { statusCode = 0 } = response
  const isGood = statusCode >= 200 && statusCode < 300
  const most = isGood && method === 'GET' ? mostOfAnswer : mostOfRefusal
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length - chunk.length < most) chunks.push(chunk)
    else if (isGood && method === 'GET') throw new Error(`its answer has more than ${mostOfAnswer / 2 ** 20} MiB`)
  }
  const text = Buffer.concat(chunks).toString()
  if (isGood) return text
  const said = text.slice(0, mostOfRefusal).replaceAll(/\s+/g, ' ').trim()
  throw new Error(`it answered ${statusCode}${said === '' ? '' : `: ${said}`}`)
}
