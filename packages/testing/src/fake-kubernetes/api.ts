import type { ServerResponse } from 'node:http'
import type { Access } from './access.ts'
import { discover } from './discovery.ts'
import type { Kinds } from './kinds.ts'
import type { Lists } from './lists.ts'
import type { ObjectStore } from './object-store.ts'
import type { Resources } from './resources.ts'
import { openApi } from './openapi.ts'
import { review } from './reviews.ts'
import { routeOf } from './route.ts'
import { StatusError, invalid, notFound } from './status.ts'
import { watch } from './watches.ts'

/** What the API works on. */
export interface ApiParts {
  readonly kinds: Kinds
  readonly store: ObjectStore
  readonly lists: Lists
  readonly resources: Resources
  readonly access: Access
  /** Of Kubernetes: `1.34.4`. */
  readonly version: string
}

/** A request whose body was read. */
export interface ApiRequest {
  readonly method: string
  readonly url: URL
  readonly contentType: string
  readonly body: unknown
}

/** An answer. */
export interface ApiAnswer {
  readonly status: number
  readonly body: unknown
}

/**
 * Does what a request asks for.
 *
 * @returns the answer; `undefined` when a watch goes on answering
 * @throws StatusError for every no
 */
export function serveApi(parts: ApiParts, request: ApiRequest, response: ServerResponse): ApiAnswer | undefined {
  const { kinds, store, lists, resources, access } = parts
  const { method, url, body } = request
  const query = url.searchParams
  const path = url.pathname.replace(/(?<=.)\/$/, '')
  const found = discover(path, kinds, parts.version) ?? openApi(path, kinds)
  if (found !== undefined) return { status: 200, body: found }
  const route = routeOf(method, url)
  if (!route) return { status: 404, body: '404 page not found' }
  access.require(route)
  const { group, version, resource, namespace, name, subresource, verb } = route
  if (!kinds.all.some((each) => each.group === group && each.version === version)) {
    return { status: 404, body: '404 page not found' }
  }
  const kind = kinds.at(group, version, resource)
  if (!kind || !['', 'status'].includes(subresource)) throw noSuchPath()
  if ((method === 'POST') !== (route.path === 'collection') && ['POST', 'PUT', 'PATCH'].includes(method))
    throw notAllowed()
  if (kind.review === true) return { status: 201, body: review(access, kind, body) }

  const dryRun = query.getAll('dryRun').includes('All')
  const place = { kind, namespace: kind.namespaced ? namespace : '', name, subresource, dryRun }
  switch (verb) {
    case 'list':
      return { status: 200, body: lists.list(kind, place.namespace, query) }
    case 'watch':
      watch(store, kind, place.namespace, query, response)
      return undefined
    case 'get':
      return { status: 200, body: resources.get(place) }
    case 'create':
      if (kind.namespaced && !store.get(namespaces(kinds), '', namespace)) throw notFound(namespaces(kinds), namespace)
      return { status: 201, body: resources.create(place, body) }
    case 'update': {
      const existed = store.get(kind, place.namespace, name) !== undefined
      return { status: existed ? 200 : 201, body: resources.update(place, body) }
    }
    case 'patch': {
      if (request.contentType.startsWith('application/apply-patch') && !query.has('fieldManager')) throw noManager()
      const { object, created } = resources.patch(place, body, request.contentType)
      return { status: created ? 201 : 200, body: object }
    }
    case 'delete':
      return { status: 200, body: resources.delete(place, body) }
    default: {
      const items = resources.deleteAll(place, body, query)
      return { status: 200, body: { kind: `${kind.kind}List`, apiVersion: 'v1', metadata: {}, items } }
    }
  }
}

function namespaces(kinds: Kinds): ReturnType<Kinds['named']> {
  return kinds.named('namespaces')
}

function notAllowed(): StatusError {
  const message = 'the server does not allow this method on the requested resource'
  return new StatusError(405, 'MethodNotAllowed', message, {})
}

function noManager(): StatusError {
  const message = 'Required value: is required for apply patch'
  const problem = { field: 'fieldManager', reason: 'FieldValueRequired', message } as const
  return invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [problem])
}

function noSuchPath(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})
}
