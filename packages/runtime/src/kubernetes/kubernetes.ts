import { isHoldfastError, type Kubernetes, type KubernetesObject } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import type { ApiClient } from './api-client.ts'
import type { Connection } from './connection.ts'
import { eventBody } from './event.ts'
import { apiVersionOf, createResourceTypes, pathOf } from './resource-types.ts'

/** The contract's API, and what only the engine needs. */
export interface RuntimeKubernetes extends Kubernetes {
  readonly api: ApiClient
  readonly connection: Connection
  /**
   * Replaces an object. With a `resourceVersion` in its metadata only if it is still that one.
   *
   * @throws HoldfastError `KUBERNETES_CONFLICT` when it has changed
   */
  replace<T extends KubernetesObject>(type: string, body: T, options?: { readonly timeoutMs?: number }): Promise<T>
}

/** Options of {@link createKubernetes}. */
export interface CreateKubernetesOptions {
  readonly api: ApiClient
  readonly clock: Pick<RuntimeClock, 'now'>
  /** Who reports events: our pod's name, where there is one. */
  readonly reporter: string
  /** Every call ends with it. */
  readonly signal?: AbortSignal | undefined
}

/** Objects per page: what kubectl asks for. */
const pageSize = 500
/** How often a list that expired is begun anew. */
const mostRestarts = 3

interface Page<T> {
  readonly metadata?: { readonly continue?: string }
  readonly apiVersion?: string
  readonly kind?: string
  readonly items?: readonly T[]
}

/** The contract's `Kubernetes`: paged, with deadlines, everything on one client. */
export function createKubernetes(options: CreateKubernetesOptions): RuntimeKubernetes {
  const { api, clock, reporter, signal } = options
  const { connection } = api
  const types = createResourceTypes(api)

  async function* list<T extends KubernetesObject>(
    type: string,
    { namespace, labelSelector, fieldSelector }: Parameters<Kubernetes['list']>[1] = {},
  ): AsyncGenerator<T> {
    const resource = await types.find(type)
    const path = pathOf(resource, namespace)
    const apiVersion = apiVersionOf(resource)
    // A long list can expire between two pages. It is begun anew then, without what was handed out already.
    const seen = new Set<string>()
    for (let restarts = 0; ; restarts++) {
      try {
        let next: string | undefined
        do {
          const query = { limit: pageSize, continue: next, labelSelector, fieldSelector }
          const page: Page<T> = await api.request<Page<T>>({ method: 'GET', path, query, signal })
          next = page.metadata?.continue || undefined
          for (const item of page.items ?? []) {
            const key = item.metadata.uid ?? `${item.metadata.namespace}/${item.metadata.name}`
            if (seen.has(key)) continue
            seen.add(key)
            // Lists leave them out of their items.
            yield { apiVersion, kind: resource.kind, ...item }
          }
        } while (next !== undefined)
        return
      } catch (error) {
        if (codeOf(error) !== 'KUBERNETES_EXPIRED' || restarts === mostRestarts) throw error
      }
    }
  }

  const pathFor = async (type: string, namespace: string | undefined, name?: string): Promise<string> => {
    const resource = await types.find(type)
    return pathOf(resource, namespace ?? connection.namespace, name)
  }
  const named = async <T extends KubernetesObject>(type: string, body: T): Promise<{ path: string; body: T }> => {
    const resource = await types.find(type)
    const { namespace } = body.metadata
    return {
      path: pathOf(resource, namespace ?? connection.namespace),
      body: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...body },
    }
  }

  return {
    namespace: connection.namespace,
    connection,
    api,
    list,
    async get<T extends KubernetesObject>(type: string, name: string, of: { namespace?: string } = {}) {
      const path = await pathFor(type, of.namespace, name)
      try {
        return await api.request<T>({ method: 'GET', path, signal })
      } catch (error) {
        if (codeOf(error) === 'KUBERNETES_NOT_FOUND') return undefined
        throw error
      }
    },
    async create<T extends KubernetesObject>(type: string, object: T) {
      const { path, body } = await named(type, object)
      return api.request<T>({ method: 'POST', path, body, signal })
    },
    async replace<T extends KubernetesObject>(type: string, object: T, { timeoutMs }: { timeoutMs?: number } = {}) {
      const { path, body } = await named(type, object)
      const { name } = object.metadata
      return api.request<T>({ method: 'PUT', path: `${path}/${encodeURIComponent(name)}`, body, signal, timeoutMs })
    },
    async delete(type, name, of = {}) {
      const path = await pathFor(type, of.namespace, name)
      try {
        await api.request({ method: 'DELETE', path, signal })
      } catch (error) {
        // Gone is gone, and the first of two tries may have succeeded.
        if (codeOf(error) !== 'KUBERNETES_NOT_FOUND') throw error
      }
    },
    async event(about, event) {
      const body = eventBody(about, event, { now: clock.now(), reporter, namespace: connection.namespace })
      const path = pathOf(await types.find('events'), body.metadata.namespace)
      await api.request({ method: 'POST', path, body, signal })
    },
  }
}

function codeOf(error: unknown): string | undefined {
  return isHoldfastError(error) ? error.code : undefined
}
