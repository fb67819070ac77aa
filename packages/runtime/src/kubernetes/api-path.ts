import { errors } from '../errors.ts'

/** What a path of the API is about, for messages and for rules. */
export interface ApiSubject {
  /** As in a rule: `get`, `list`, `create`… */
  readonly verb: string
  readonly apiGroup: string
  /** With its subresource: `pods/exec`. */
  readonly resource: string
  readonly namespace: string | undefined
  readonly name: string | undefined
}

const verbs = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const

/** Methods of the API. */
export type ApiMethod = keyof typeof verbs

/**
 * Whether it can be one part of a path and nothing else. With an empty name a delete means all objects of the type, with
 * `..` their namespace; an encoded slash is one for API servers.
 */
export function isPathName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/%]/.test(name)
}

/**
 * Reads a request's path as the API server's authorizer does.
 *
 * @throws HoldfastError `KUBERNETES_NAME_INVALID` when it holds a name that would lead elsewhere
 */
export function subjectOf(method: ApiMethod, path: string): ApiSubject {
  const parts = path.replace(/^\//, '').split('/').map(decodeURIComponent)
  const odd = parts.find((part) => !isPathName(part))
  if (odd !== undefined) throw errors.KUBERNETES_NAME_INVALID({ name: odd })
  const [root, ...rest] = parts
  const [apiGroup = '', ...tail] = root === 'apis' ? [rest[0], ...rest.slice(2)] : ['', ...rest.slice(1)]
  const namespaced = tail[0] === 'namespaces' && tail.length > 2
  const namespace = namespaced ? tail[1] : undefined
  const [resource = path, name, ...sub] = namespaced ? tail.slice(2) : tail
  const subresource = sub.length === 0 ? resource : `${resource}/${sub.join('/')}`
  const one = verbs[method]
  const verb = name === undefined ? (one === 'get' ? 'list' : one === 'delete' ? 'deletecollection' : one) : one
  return { verb, apiGroup, resource: subresource, namespace, name }
}

/** `pods/exec "web-0" in namespace "shop"`. */
export function describeSubject({
  resource,
  namespace,
  name,
}: Pick<ApiSubject, 'resource' | 'namespace' | 'name'>): string {
  return `${resource}${name === undefined ? '' : ` "${name}"`}${namespace === undefined ? '' : ` in namespace "${namespace}"`}`
}

/** The rule of a Role that allows it, as YAML's flow style writes it. */
export function ruleFor({
  apiGroup,
  resource,
  name,
  verbs: list,
}: {
  apiGroup: string
  resource: string
  /** Only for the object of that name. */
  name?: string | undefined
  verbs: readonly string[]
}): string {
  const names = name === undefined ? '' : `, resourceNames: ["${name}"]`
  return `{ apiGroups: ["${apiGroup}"], resources: ["${resource}"]${names}, verbs: [${list.map((verb) => `"${verb}"`).join(', ')}] }`
}
