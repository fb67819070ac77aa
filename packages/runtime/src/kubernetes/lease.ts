import { isHoldfastError, type KubernetesObject } from '@holdfast/sdk'
import type { RuntimeKubernetes } from './kubernetes.ts'

/** Who leads, as the API server has it. */
export interface LeaseSpec {
  /** Empty, or missing as in a chart: nobody. */
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}

/** A `coordination.k8s.io/v1` Lease. */
export interface Lease extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly resourceVersion?: string }
  readonly spec?: LeaseSpec
}

/** One Lease, read and written as a whole. Nothing is tried twice: a campaign has its own patience. */
export interface LeaseClient {
  /** For messages. */
  readonly name: string
  /** @returns `undefined` when there is none */
  read(timeoutMs: number): Promise<Lease | undefined>
  /** @throws HoldfastError `KUBERNETES_CONFLICT` when somebody was quicker */
  create(
    lease: Pick<Lease, 'spec'> & { readonly annotations: Readonly<Record<string, string>> },
    timeoutMs: number,
  ): Promise<Lease>
  /** @throws HoldfastError `KUBERNETES_CONFLICT` when it has changed since it was read */
  replace(lease: Lease, timeoutMs: number): Promise<Lease>
}

/** Options of {@link leaseClient}. */
export interface LeaseClientOptions {
  readonly kubernetes: Pick<RuntimeKubernetes, 'api' | 'namespace'>
  readonly name: string
}

/** A Lease in our namespace. */
export function leaseClient({ kubernetes, name }: LeaseClientOptions): LeaseClient {
  const { api, namespace } = kubernetes
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`
  const path = `${collection}/${encodeURIComponent(name)}`
  const type = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }
  return {
    name,
    async read(timeoutMs) {
      try {
        return await api.request<Lease>({ method: 'GET', path, timeoutMs, idempotent: false })
      } catch (error) {
        if (isHoldfastError(error) && error.code === 'KUBERNETES_NOT_FOUND') return undefined
        throw error
      }
    },
    create: ({ spec, annotations }, timeoutMs) =>
      api.request<Lease>({
        method: 'POST',
        path: collection,
        body: { ...type, metadata: { name, annotations }, spec },
        timeoutMs,
      }),
    replace: (lease, timeoutMs) => api.request<Lease>({ method: 'PUT', path, body: { ...type, ...lease }, timeoutMs }),
  }
}

/** A time as Kubernetes writes a MicroTime: always with six digits. */
export function microTime(at: Date): string {
  return at.toISOString().replace(/Z$/, '000Z')
}
