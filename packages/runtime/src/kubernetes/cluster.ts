import { hostname } from 'node:os'
import type { RuntimeClock } from '../clock.ts'
import { createApiClient, type ApiClient } from './api-client.ts'
import { connect, type ConnectOptions } from './connect.ts'
import type { Connection } from './connection.ts'
import { createKubernetes, type RuntimeKubernetes } from './kubernetes.ts'

/** The pod that we run in, as far as it is known. */
export interface OwnPod {
  readonly name: string
  readonly namespace: string
  /** Of POD_UID; without it the API has to be asked. */
  readonly uid: string | undefined
  /** Of HOLDFAST_CONTAINER_NAME; empty where nobody says. */
  readonly container: string
}

/** The cluster that we belong to: one client, which everything shares. */
export interface Cluster {
  readonly connection: Connection
  readonly api: ApiClient
  readonly kubernetes: RuntimeKubernetes
  /** `undefined` where we use a kubeconfig from outside of the cluster. */
  readonly pod: OwnPod | undefined
  close(): void
}

/** Options of {@link openCluster}. */
export interface OpenClusterOptions extends ConnectOptions {
  readonly clock: RuntimeClock
  /** Of `user-agent`. */
  readonly userAgent?: string | undefined
}

/**
 * Connects to the cluster that we belong to. Nothing is sent yet.
 *
 * @returns `undefined` without one: everything that needs no API works
 * @throws HoldfastError `KUBECONFIG_INVALID`
 */
export async function openCluster(options: OpenClusterOptions): Promise<Cluster | undefined> {
  const { env, clock, userAgent } = options
  const connection = await connect(options)
  if (!connection) return undefined
  const api = createApiClient({ connection, clock, userAgent })
  const pod = ownPod(env, connection.namespace)
  const kubernetes = createKubernetes({ api, clock, reporter: pod?.name ?? hostname() })
  return { connection, api, kubernetes, pod, close: () => api.close() }
}

/** What the downward API says of our pod. */
export function ownPod(env: NodeJS.ProcessEnv, namespace: string): OwnPod | undefined {
  if (!env['KUBERNETES_SERVICE_HOST']) return undefined
  return {
    // With the host's network the host's name is not the pod's; then only POD_NAME tells.
    name: env['POD_NAME'] || hostname(),
    namespace: env['POD_NAMESPACE'] || namespace,
    uid: env['POD_UID'] || undefined,
    container: env['HOLDFAST_CONTAINER_NAME'] ?? '',
  }
}
