import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Clock } from '@holdfast/sdk'

/**
 * The longest that a Pushgateway is waited for. A process that was told to stop has five seconds left when everything
 * else is done.
 */
const timeout = '4s'
/** Of an answer so much is read, for messages. */
const mostOfAnswer = 1000

/** A request to a Pushgateway. */
export interface GatewayRequest {
  readonly gateway: URL
  /** `PUT` replaces a group, `POST` only the metrics of the same names in it. */
  readonly method: 'PUT' | 'POST' | 'DELETE'
  /** Below the address. */
  readonly path: string
  readonly body?: string | undefined
}

/**
 * Sends one request.
 *
 * @throws Error with the reason in one line: also when nothing has answered within four seconds
 */
export async function sendToGateway(request: GatewayRequest, clock: Pick<Clock, 'sleep'>): Promise<void> {
  const settled = new AbortController()
  const stop = new AbortController()
  void clock.sleep(timeout, settled.signal).then(
    () => stop.abort(new Error(`no answer within ${timeout}`)),
    () => {},
  )
  try {
    await exchange(request, stop.signal)
  } catch (error) {
    throw stop.signal.aborted ? (stop.signal.reason as Error) : error
  } finally {
    settled.abort(new Error('it is settled'))
  }
}

function exchange({ gateway, method, path, body }: GatewayRequest, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const url = new URL(gateway)
  url.pathname = `${gateway.pathname.replace(/\/$/, '')}${path}`
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const headers =
    body === undefined
      ? {}
      : { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'content-length': Buffer.byteLength(body) }
  // A connection of its own: pushes are minutes apart, and a kept one may be closed by the other side meanwhile.
  const request = send(url, { method, headers, signal, agent: false }, (response) => {
    check(response).then(resolve, reject)
  })
  request.on('error', reject)
  request.end(body)
  return promise
}

async function check(response: IncomingMessage): Promise<void> {
  const { statusCode = 0 } = response
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (length < mostOfAnswer) chunks.push(chunk)
    length += chunk.length
  }
  if (statusCode >= 200 && statusCode < 300) return
  const said = Buffer.concat(chunks).toString().slice(0, mostOfAnswer).replaceAll(/\s+/g, ' ').trim()
  throw new Error(`it answered ${statusCode}${said === '' ? '' : `: ${said}`}`)
}
