import type { AccessRequest } from './access.ts'

/** What a request asks for, as the server understands its path. */
export interface Route extends AccessRequest {
  /** `''` where the path names no API. */
  readonly version: string
  /** Whether the path is that of one object, or of all. */
  readonly path: 'object' | 'collection'
}

const verbs: Readonly<Record<string, readonly [one: string, many: string]>> = {
  GET: ['get', 'list'],
  POST: ['create', 'create'],
  PUT: ['update', 'update'],
  PATCH: ['patch', 'patch'],
  DELETE: ['delete', 'deletecollection'],
}

/** Reads a path under /api or /apis; `undefined` for any other, and for those of discovery. */
export function routeOf(method: string, url: URL): Route | undefined {
  const [, api, ...rest] = url.pathname.split('/').map(decode)
  const group = api === 'apis' ? rest.shift() : api === 'api' ? '' : undefined
  const version = rest.shift()
  if (group === undefined || version === undefined || rest.length === 0) return undefined
  let namespace = ''
  // The namespace itself is a resource, and so are its status and its finalizers.
  const isNamespace = rest[0] === 'namespaces' && (rest.length < 3 || rest[2] === 'status' || rest[2] === 'finalize')
  if (rest[0] === 'namespaces') namespace = rest[1] ?? ''
  if (rest[0] === 'namespaces' && !isNamespace) rest.splice(0, 2)
  const [resource = '', name = '', ...subresource] = rest
  const [one, many] = verbs[method] ?? ['', '']
  const watches = ['1', 'true'].includes(url.searchParams.get('watch') ?? '')
  const verb = name === '' ? (method === 'GET' && watches ? 'watch' : many) : one
  return {
    path: name === '' ? 'collection' : 'object',
    verb,
    group,
    version,
    resource,
    subresource: subresource.join('/'),
    namespace,
    name: name === '' ? selectedName(verb, url) : name,
  }
}

/** A list of one object by its name counts as access to that name. */
function selectedName(verb: string, url: URL): string {
  if (!['list', 'watch', 'deletecollection'].includes(verb)) return ''
  return /(?:^|,)metadata\.name==?([^,]+)/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1] ?? ''
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
