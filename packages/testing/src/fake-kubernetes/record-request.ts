import type { IncomingMessage } from 'node:http'
import type { OpenRequest } from './requests.ts'
import { routeOf } from './route.ts'

/** What a request says, before its body is read. */
export function recordRequest({ method = 'GET', headers }: IncomingMessage, url: URL, connection: number): OpenRequest {
  const route = routeOf(method, url)
  const { verb = '', group = '', resource = '', subresource = '', namespace = '', name = '' } = route ?? {}
  const keys = [...new Set(url.searchParams.keys())]
  return {
    method,
    path: url.pathname,
    query: Object.fromEntries(keys.map((key) => [key, url.searchParams.getAll(key)])),
    verb,
    apiGroup: group,
    resource: subresource === '' ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    userAgent: headers['user-agent'] ?? '',
    body: undefined,
    connection,
    status: undefined,
  }
}
