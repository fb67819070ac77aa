import { isHoldfastError } from '@holdfast/sdk'
import type { RuntimeKubernetes } from './kubernetes.ts'
import type { ConfigMap } from './undo-record.ts'

/** How a call is made: how long it may take, and whether it is tried again within that. */
export interface Patience {
  readonly timeoutMs: number
  readonly once?: boolean | undefined
}

/** The ConfigMaps of our namespace, with deadlines of one's own. */
export interface ConfigMaps {
  /** @returns `undefined` when there is none */
  get(name: string, patience: Patience): Promise<ConfigMap | undefined>
  create(body: ConfigMap, patience: Patience): Promise<'created' | 'there'>
  /**
   * What is gone already is no error.
   *
   * @param uid - only that very object: meanwhile another one may have its name
   */
  remove(name: string, patience: Patience, uid?: string): Promise<void>
}

/** Calls the API server, and throws what it throws: HoldfastError `KUBERNETES_…`. */
export function configMaps({ api, namespace }: Pick<RuntimeKubernetes, 'api' | 'namespace'>): ConfigMaps {
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`
  const pathOf = (name: string): string => `${collection}/${encodeURIComponent(name)}`
  return {
    async get(name, { timeoutMs, once = false }) {
      try {
        return await api.request<ConfigMap>({ method: 'GET', path: pathOf(name), timeoutMs, idempotent: !once })
      } catch (error) {
        if (codeOf(error) === 'KUBERNETES_NOT_FOUND') return undefined
        throw error
      }
    },
    async create(object, { timeoutMs, once = false }) {
      const body = { apiVersion: 'v1', kind: 'ConfigMap', ...object }
      try {
        // Whoever comes second finds it there, also where that is ourselves.
        await api.request({ method: 'POST', path: collection, body, timeoutMs, idempotent: !once })
        return 'created'
      } catch (error) {
        if (codeOf(error) === 'KUBERNETES_CONFLICT') return 'there'
        throw error
      }
    },
    async remove(name, { timeoutMs }, uid) {
      const body = uid === undefined ? undefined : { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } }
      try {
        await api.request({ method: 'DELETE', path: pathOf(name), body, timeoutMs })
      } catch (error) {
        const code = codeOf(error)
        if (code === 'KUBERNETES_NOT_FOUND' || (uid !== undefined && code === 'KUBERNETES_CONFLICT')) return
        throw error
      }
    },
  }
}

function codeOf(error: unknown): string | undefined {
  return isHoldfastError(error) ? error.code : undefined
}
