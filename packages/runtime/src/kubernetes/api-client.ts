// One HTTPS agent for all calls: connections are kept and shared. Every call has a deadline; only what may safely be done
// twice is tried again.
import type * as Http from 'node:http'
import type { Agent, IncomingMessage } from 'node:http'
import { request as httpsRequest, Agent as HttpsAgent } from 'node:https'
import { formatDuration, isHoldfastError } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { untilAborted } from '../until-aborted.ts'
import { apiError, isRefusal } from './api-errors.ts'
import { describeSubject, subjectOf, type ApiMethod, type ApiSubject } from './api-path.ts'
import type { Connection, Credentials } from './connection.ts'

// Not imported: among its exports is WebSocket, and an import reads them all, which loads all of undici (60 ms, 14 MB).
// Nor before it is needed: a daemon at rest may do without.
const http = (): typeof Http => process.getBuiltinModule('node:http')

/** One call of the API. */
export interface ApiRequest {
  readonly method: ApiMethod
  /** Below the server's own path; each part percent-encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined
  /** Sent as JSON. */
  readonly body?: unknown
  /** Default `application/json`. */
  readonly contentType?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** For the call with everything that is tried again. Default 30 s. */
  readonly timeoutMs?: number | undefined
  /** Whether it may be done twice. Default: reading and deleting. */
  readonly idempotent?: boolean | undefined
}

/** Calls the API server. */
export interface ApiClient {
  readonly connection: Connection
  /**
   * @returns the answer, parsed
   * @throws HoldfastError `KUBERNETES_…`, or the signal's reason
   */
  request<T>(request: ApiRequest): Promise<T>
  /** Closes the connections that are kept. */
  close(): void
}

/** Options of {@link createApiClient}. */
export interface CreateApiClientOptions {
  readonly connection: Connection
  readonly clock: RuntimeClock
  /** Of `user-agent`. Default `holdfast`. */
  readonly userAgent?: string | undefined
  /** A number from 0 to 1; for tests. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

const defaultTimeoutMs = 30_000
const backoffMs = { first: 200, longest: 5000 }
/** A page of 500 large objects is a few megabytes. */
const longestAnswer = 256 * 2 ** 20
/** Enough for everything that a daemon does at once; the rest waits. */
const mostSockets = 16

/** Creates an {@link ApiClient}. */
export function createApiClient(options: CreateApiClientOptions): ApiClient {
  const { connection, clock, userAgent = 'holdfast', random = Math.random } = options
  let kept: { readonly version: string; readonly agent: Agent } | undefined

  /** A new one when certificates have changed: the connections of the old one would go on with the old ones. */
  const agentFor = ({ agent, tls, version }: Credentials): Agent => {
    if (agent) return agent
    if (kept?.version === version) return kept.agent
    kept?.agent.destroy()
    const settings = { keepAlive: true, maxSockets: mostSockets, scheduling: 'lifo' as const }
    const made =
      connection.server.protocol === 'http:' ? new (http().Agent)(settings) : new HttpsAgent({ ...settings, ...tls })
    kept = { version, agent: made }
    return made
  }

  const once = async (
    request: ApiRequest,
    subject: ApiSubject,
    refresh: boolean,
    signal: AbortSignal,
  ): Promise<unknown> => {
    // A kubeconfig may name a program for it, which may wait for somebody to log in.
    const credentials = await untilAborted(connection.credentials({ refresh }), signal)
    const answer = await send({
      request,
      credentials,
      agent: agentFor(credentials),
      server: connection.server,
      userAgent,
      signal,
    })
    if (answer.status >= 200 && answer.status < 300) return parse(answer.body)
    throw Object.assign(apiError(answer.status, answer.body, subject, connection), {
      retryAfterMs: answer.retryAfterMs,
    })
  }

  return {
    connection,
    async request<T>(request: ApiRequest): Promise<T> {
      const { method, path, signal, timeoutMs = defaultTimeoutMs } = request
      const subject = subjectOf(method, path)
      const idempotent = request.idempotent ?? (method === 'GET' || method === 'DELETE')
      const deadline = clock.monotonic() + timeoutMs
      const late = new AbortController()
      const cancel = clock.setTimer(timeoutMs, () => late.abort())
      const stop = AbortSignal.any([late.signal, ...(signal ? [signal] : [])])
      let refresh = false
      let refreshed = false
      let last: Error | undefined
      try {
        for (let attempt = 0; ; attempt++) {
          signal?.throwIfAborted()
          try {
            return (await once(request, subject, refresh, stop)) as T
          } catch (error) {
            signal?.throwIfAborted()
            if (late.signal.aborted) throw tooLate(subject, connection, timeoutMs, last)
            last = asFailure(error, subject, connection)
            const status = statusOf(last)
            refresh = status === 401 && !refreshed
            // A refused token means that nothing was done, whatever the method.
            if (refresh) {
              refreshed = true
              continue
            }
            if (!idempotent || (status !== undefined && isRefusal(status))) throw last
            const pause = pauseFor(last, attempt, random)
            if (clock.monotonic() + pause >= deadline) throw last
            await clock.sleep(pause, stop).catch(() => {})
            if (late.signal.aborted) throw last
          }
        }
      } finally {
        cancel()
      }
    },
    close() {
      kept?.agent.destroy()
      kept = undefined
    },
  }
}

/** Full jitter, so that a thousand clients that lost the server don't come back at once. */
function pauseFor(error: Error & { retryAfterMs?: number | undefined }, attempt: number, random: () => number): number {
  const longest = Math.min(backoffMs.first * 2 ** attempt, backoffMs.longest)
  return (error.retryAfterMs ?? 0) + Math.round(random() * longest)
}

function statusOf(error: Error): number | undefined {
  const status = isHoldfastError(error) ? error.details['status'] : undefined
  return typeof status === 'number' ? status : undefined
}

function asFailure(error: unknown, subject: ApiSubject, { server }: Connection): Error {
  if (isHoldfastError(error)) return error
  const params = { verb: subject.verb, what: describeSubject(subject), server: server.host, reason: reasonOf(error) }
  return errors.KUBERNETES_UNAVAILABLE(params, { cause: error })
}

function tooLate(subject: ApiSubject, { server }: Connection, timeoutMs: number, cause: Error | undefined): Error {
  const params = {
    verb: subject.verb,
    what: describeSubject(subject),
    server: server.host,
    after: formatDuration(timeoutMs),
  }
  return errors.KUBERNETES_TIMEOUT(params, { cause })
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly retryAfterMs: number | undefined
}

function send(options: {
  readonly request: ApiRequest
  readonly credentials: Credentials
  readonly agent: Agent
  readonly server: URL
  readonly userAgent: string
  readonly signal: AbortSignal
}): Promise<Answer> {
  const { request, credentials, agent, server, userAgent, signal } = options
  const { method, path, query, body, contentType = 'application/json' } = request
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const url = new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server)
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) url.searchParams.set(name, `${value}`)
  const make = server.protocol === 'http:' ? http().request : httpsRequest
  return new Promise((resolve, reject) => {
    const outgoing = make(url, {
      method,
      agent,
      signal,
      headers: {
        accept: 'application/json',
        'user-agent': userAgent,
        ...credentials.headers,
        ...(payload && { 'content-type': contentType, 'content-length': payload.length }),
      },
    })
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      readAll(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, body: text, retryAfterMs: retryAfter(response) }),
        reject,
      )
    })
    outgoing.end(payload)
  })
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > longestAnswer) throw new Error(`its answer is larger than ${longestAnswer / 2 ** 20} MiB`)
    chunks.push(chunk)
  }
  // A connection that was lost in the middle ends the iteration with an error; this is for servers that lie.
  if (!response.complete) throw new Error('the connection was lost in the middle of the answer')
  return Buffer.concat(chunks).toString('utf8')
}

function retryAfter({ headers }: IncomingMessage): number | undefined {
  const seconds = Number(headers['retry-after'])
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined
}

function parse(body: string): unknown {
  if (body.trim() === '') return undefined
  try {
    return JSON.parse(body)
  } catch (error) {
    throw new Error(`its answer is not JSON: ${reasonOf(error)}`, { cause: error })
  }
}
