// What a daemon in a pod says of itself.
import { execIn, podsOf, type Pod } from './pods.ts'
import { getObject, waitFor } from './kubectl.ts'

/** A Lease, as far as tests look at it. */
export interface Lease {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: { readonly holderIdentity?: string; readonly leaseTransitions?: number }
}

/** A run that has ended. */
export interface HistoryEntry {
  readonly id: string
  readonly plan: string
  readonly status: string
  readonly trigger: string
}

/** Waits for the pod that holds a Lease. */
export function leaderOf(namespace: string, lease: string, selector: string): Promise<Pod> {
  return waitFor('a leader', async () => {
    const found = await getObject<Lease>('lease', lease, namespace)
    const pods = await podsOf(namespace, selector)
    return pods.find(({ metadata }) => found?.spec?.holderIdentity?.startsWith(metadata.name))
  })
}

/** What a daemon has on record. */
export async function historyOf(namespace: string, { metadata }: Pod): Promise<readonly HistoryEntry[]> {
  const { stdout } = await execIn(namespace, metadata.name, 'holdfast', ['holdfast', 'history', '--json'])
  return JSON.parse(stdout) as readonly HistoryEntry[]
}

/** A daemon's metrics, whether it has a port or not. */
export async function metricsOf(namespace: string, { metadata }: Pod): Promise<string> {
  const command = 'curl --silent --fail --unix-socket /var/lib/holdfast/http.sock http://localhost/metrics'
  return (await execIn(namespace, metadata.name, 'holdfast', ['sh', '-c', command])).stdout
}
