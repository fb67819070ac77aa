// Whether the pods of owners live: what the API has, and nothing else, is alive (DESIGN §4e).
import { isHoldfastError } from '@holdfast/sdk'
import { reasonOf } from '../failure.ts'
import type { Liveness, Owners } from '../journal/owners.ts'
import type { ProcessRecord } from '../journal/records.ts'
import type { RuntimeLogger } from '../telemetry/log.ts'
import type { RuntimeKubernetes } from './kubernetes.ts'

/** A pod, as far as it is looked at. */
interface Pod {
  readonly metadata: { readonly uid?: string }
  readonly status?: { readonly phase?: string }
}

/** Options of {@link createOwners}. */
export interface CreateOwnersOptions {
  readonly kubernetes: Pick<RuntimeKubernetes, 'api'>
  readonly log: RuntimeLogger
}

/** For one pod. */
const timeoutMs = 5000

/** Asks the API server about pods. */
export function createOwners({ kubernetes, log }: CreateOwnersOptions): Owners {
  const { api } = kubernetes
  const pods = new Map<string, Liveness>()
  const deposed = new Map<string, () => boolean>()
  let told: string | undefined

  const ask = async ({ pod, podName, namespace }: ProcessRecord): Promise<void> => {
    if (pod === undefined || podName === undefined || namespace === undefined || pods.get(pod) === 'gone') return
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(podName)}`
    try {
      const { metadata, status } = await api.request<Pod>({ method: 'GET', path, timeoutMs })
      // A pod that has ended stays listed, and one of the same name is another one.
      const hasEnded = status?.phase === 'Succeeded' || status?.phase === 'Failed'
      pods.set(pod, metadata.uid !== pod || hasEnded ? 'gone' : 'alive')
    } catch (error) {
      if (saysGone(error, podName)) {
        pods.set(pod, 'gone')
        return
      }
      pods.set(pod, 'unknown')
      const reason = reasonOf(error)
      if (reason !== told) log.warn(`whether pod ${podName} lives can't be found out: ${reason}`, { error })
      told = reason
    }
  }

  return {
    async refresh(owners) {
      // Each pod once.
      const each = new Map(owners.map((owner) => [owner.pod, owner]))
      await Promise.all([...each.values()].map(ask))
    },
    podOf: ({ pod }) => (pod === undefined ? undefined : pods.get(pod)) ?? 'unknown',
    depose(process, isLeading) {
      deposed.set(process, isLeading)
      return () => void deposed.delete(process)
    },
    isDeposed: (process) => deposed.get(process)?.() === true,
  }
}

/** In an API server's own words: the 404 of a proxy in between would make every living pod look dead. */
function saysGone(error: unknown, podName: string): boolean {
  if (!isHoldfastError(error) || error.code !== 'KUBERNETES_NOT_FOUND') return false
  return error.details['said'] === `pods "${podName}" not found`
}
