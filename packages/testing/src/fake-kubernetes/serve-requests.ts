import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { serveApi, type ApiParts } from './api.ts'
import { misbehave, type BadDays, type RequestFault, type RequestMatch, type Trouble } from './bad-days.ts'
import type { Credentials } from './credentials.ts'
import { refuse, type ExecEndpoint } from './exec-endpoint.ts'
import type { Handlers, Listener } from './listener.ts'
import { readBody } from './read-body.ts'
import { recordRequest } from './record-request.ts'
import type { OpenRequest } from './requests.ts'
import { routeOf } from './route.ts'
import { StatusError, badRequest, failureOf, unauthorized, type StatusBody } from './status.ts'

/** What requests are served with. */
export interface ServeRequestsOptions {
  readonly api: ApiParts
  readonly exec: ExecEndpoint
  readonly credentials: Credentials
  readonly badDays: BadDays<RequestMatch, RequestFault>
  readonly requests: OpenRequest[]
  readonly listener: Listener
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** What the server does with what comes in: note it, let it go wrong if it should, do it. */
export function serveRequests(options: ServeRequestsOptions): Handlers {
  const { api, exec, credentials, badDays, requests, listener } = options

  const note = (request: IncomingMessage): { readonly url: URL; readonly open: OpenRequest } => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const open = recordRequest(request, url, listener.connectionOf(request))
    requests.push(open)
    return { url, open }
  }
  const trouble = ({ method, path }: OpenRequest): Trouble<RequestFault> | undefined =>
    badDays.next(
      (match) =>
        (match.method === undefined || match.method === method) && (match.path === undefined || match.path.test(path)),
    )
  const authenticate = (request: IncomingMessage): void => {
    if (!credentials.accepts(request.headers.authorization)) throw unauthorized()
  }
  const requireExec = (method: string, url: URL): void => {
    const route = routeOf(method, url)
    if (route) api.access.require(route)
    exec.subjectOf(url)
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url, open } = note(request)
    response.once('finish', () => (open.status = response.statusCode))
    const { value, problem } = await readBody(request)
    open.body = value
    const answer = (): Answer | undefined => {
      try {
        if (/^\/(healthz|livez|readyz)$/.test(url.pathname)) return text(200, 'ok')
        if (url.pathname !== '/version') authenticate(request)
        if (problem) throw problem
        if (open.resource === 'pods/exec') {
          requireExec(open.method, url)
          throw badRequest('Upgrade request required')
        }
        const contentType = request.headers['content-type'] ?? 'application/json'
        const answered = serveApi(api, { method: open.method, url, contentType, body: value }, response)
        if (!answered) return undefined
        const { status, body } = answered
        return typeof body === 'string' ? text(status, body) : json(status, body)
      } catch (error) {
        const body = statusOf(error)
        return json(body.code ?? 500, body)
      }
    }
    const bad = trouble(open)
    if (bad) {
      await misbehave(bad, request, response, answer, listener.reset)
      return
    }
    const given = answer()
    if (!given) return
    response.writeHead(given.status, { 'content-type': given.type })
    response.end(given.body)
  }

  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const { url, open } = note(request)
    const bad = trouble(open)?.fault
    if (bad === 'reset') listener.reset(socket)
    if (bad === 'closes') socket.end()
    // Whatever else it is, an upgrade has no answer to go wrong with.
    if (typeof bad === 'string') return
    try {
      if (bad) throw failureOf(bad.status, bad)
      authenticate(request)
      if (open.resource !== 'pods/exec') throw badRequest('Upgrade request required')
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        requireExec(open.method, url)
        throw badRequest('the fake server speaks websockets only')
      }
      exec.upgrade(request, socket, head, url, (status) => (open.status = status))
    } catch (error) {
      const body = statusOf(error)
      open.status = body.code ?? 500
      refuse(socket, open.status, body)
    }
  }

  return {
    request: (request, response) => void serve(request, response).catch(() => response.destroy()),
    upgrade,
  }
}

function json(status: number, body: unknown): Answer {
  return { status, type: 'application/json', body: JSON.stringify(body) }
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body }
}

function statusOf(error: unknown): StatusBody {
  if (error instanceof StatusError) return error.body
  // A mistake of the fake's own: seen by the client, instead of ending the test's process.
  const { stack = '' } = error as Error
  return new StatusError(500, 'InternalError', `the fake server broke: ${stack}`).body
}
