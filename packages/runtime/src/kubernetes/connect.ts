import type { RuntimeClock } from '../clock.ts'
import type { Connection } from './connection.ts'
import { serviceAccount } from './service-account.ts'

/** Options of {@link connect}. */
export interface ConnectOptions {
  readonly env: NodeJS.ProcessEnv
  readonly clock: Pick<RuntimeClock, 'monotonic'>
  /** Where a pod's token is mounted; for tests. */
  readonly serviceAccountDirectory?: string | undefined
}

/**
 * The cluster that we belong to: what KUBECONFIG names, else that of our own pod. `~/.kube/config` is never taken by
 * itself: a backup tried out on a laptop must not find a production cluster.
 *
 * @returns `undefined` without a cluster: everything that needs no API works
 * @throws HoldfastError `KUBECONFIG_INVALID`
 */
export async function connect(options: ConnectOptions): Promise<Connection | undefined> {
  const { env, clock, serviceAccountDirectory: directory } = options
  const files = env['KUBECONFIG']
  if (!files) return serviceAccount({ env, clock, directory })
  const { kubeconfig } = await import('./kubeconfig.ts')
  return kubeconfig(files)
}
