import { request } from 'node:https'
import type { FakeKubernetes } from '../../src/index.ts'

export interface Answer {
  readonly status: number
  readonly retryAfter: string | null
  // Tests look into answers of any shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

export interface CallOptions {
  readonly body?: unknown
  /** Default: the server's token; `''` sends none. */
  readonly token?: string
  readonly contentType?: string
  readonly signal?: AbortSignal
}

/** One request, without any of the help that a client library gives. */
export async function call(
  server: FakeKubernetes,
  method: string,
  path: string,
  { body, token = server.token, contentType = 'application/json', signal }: CallOptions = {},
): Promise<Answer> {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      'user-agent': 'test',
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': contentType }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: isJson ? JSON.parse(text) : text,
  }
}

/** The status of a GET over https, with one certificate trusted. */
export function secureStatus(server: FakeKubernetes, path: string, ca: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    const sent = request(server.url + path, { ca, headers, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.once('error', reject)
    sent.end()
  })
}
