// Which pod and container we are. A wrong answer would make others take a living pod for a dead one, so a name counts
// only once the API server has confirmed it: POD_NAME may be set for other reasons, and on the host's network the
// host's name is not the pod's.
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { isHoldfastError } from '@holdfast/sdk'
import { reasonOf } from '../failure.ts'
import type { ProcessRecord } from '../journal/records.ts'
import type { RuntimeLogger } from '../telemetry/log.ts'
import type { Cluster } from './cluster.ts'

/** What a process knows of its pod and container. */
export type PodIdentity = Pick<ProcessRecord, 'pod' | 'podName' | 'namespace' | 'workload' | 'container'>

/** A pod, as far as it says who keeps it. */
export interface PodObject {
  readonly metadata: {
    readonly name: string
    readonly uid?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly {
      readonly kind: string
      readonly name: string
      readonly controller?: boolean
    }[]
  }
}

/** What can be known of our pod without asking anybody. */
export function knownIdentity(cluster: Pick<Cluster, 'pod'> | undefined, mountinfo = readMountinfo()): PodIdentity {
  const { pod } = cluster ?? {}
  if (!pod) {
    return { pod: undefined, podName: undefined, namespace: undefined, workload: undefined, container: undefined }
  }
  const mounted = identityFromMounts(mountinfo)
  return {
    pod: pod.uid ?? mounted?.pod,
    podName: undefined,
    namespace: pod.namespace,
    workload: undefined,
    container: pod.container || mounted?.container,
  }
}

/**
 * The pod's UID and the container's name as the kubelet's mounts have them: it mounts
 * `…/pods/<uid>/containers/<name>/<id>` at the place of the termination message.
 *
 * @param mountinfo - the content of /proc/self/mountinfo
 */
export function identityFromMounts(mountinfo: string): { pod: string; container: string } | undefined {
  for (const line of mountinfo.split('\n')) {
    // 36 35 98:0 /what/is/mounted /mount/point …
    const [, , , root = '', point = ''] = line.split(' ')
    const found = /\/pods\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/containers\/([a-z0-9-]+)\/[^/]+$/.exec(root)
    const [, pod, container] = found ?? []
    // On a node everybody's mounts are seen, at places that say so.
    if (pod !== undefined && container !== undefined && !point.includes(`/${pod}/`)) return { pod, container }
  }
  return undefined
}

/** Options of {@link createIdentifier}. */
export interface CreateIdentifierOptions {
  readonly cluster: Pick<Cluster, 'api' | 'pod'>
  readonly log: RuntimeLogger
  /** What is known. */
  current(): PodIdentity
  /** Told what has become known. */
  update(identity: PodIdentity): void
}

const timeoutMs = 5000

/**
 * Finds out which pod we are, once.
 *
 * @returns asks, and says whether all is known that can be; never rejects: what could not be asked is asked the next time
 */
export function createIdentifier({ cluster, log, current, update }: CreateIdentifierOptions): () => Promise<boolean> {
  const { api, pod } = cluster
  let settled = pod === undefined

  return async () => {
    if (!settled) await ask()
    return settled
  }

  async function ask(): Promise<void> {
    if (!pod) return
    const known = current()
    try {
      for (const name of new Set([pod.name, hostname()])) {
        const found = await get(name)
        const uid = found?.metadata.uid
        // Without a UID, only the name of the host says which pod we are.
        const isOurs = known.pod === undefined ? name === hostname() && uid !== undefined : uid === known.pod
        if (!found || !isOurs) continue
        update({ ...known, pod: uid, podName: name, workload: workloadOf(found) })
        settled = true
        return
      }
      settled = true
      log.debug('no pod that this could be was found; others can not tell whether it lives', { pod: pod.name })
    } catch (error) {
      log.debug(`which pod this is could not be asked: ${reasonOf(error)}`, { error })
      settled = isHoldfastError(error) && error.code === 'KUBERNETES_FORBIDDEN'
    }
  }

  async function get(name: string): Promise<PodObject | undefined> {
    const path = `/api/v1/namespaces/${encodeURIComponent(pod?.namespace ?? '')}/pods/${encodeURIComponent(name)}`
    try {
      return await api.request<PodObject>({ method: 'GET', path, timeoutMs })
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'KUBERNETES_NOT_FOUND') return undefined
      throw error
    }
  }
}

/**
 * What keeps a pod, the same for every pod that follows it: rollouts make other ReplicaSets, and a CronJob other Jobs. A
 * pod that nobody keeps is followed by one of its own name.
 */
export function workloadOf({ metadata }: PodObject): string {
  const { name, labels = {}, ownerReferences = [] } = metadata
  const keeper = ownerReferences.find(({ controller }) => controller === true)
  if (!keeper) return `Pod/${name}`
  const hashes = Object.entries(labels).flatMap(([label, value]) =>
    label.endsWith('pod-template-hash') ? [value] : [],
  )
  const rollout = hashes.find((hash) => keeper.name.endsWith(`-${hash}`))
  if (keeper.kind === 'ReplicaSet' && rollout !== undefined) {
    return `Deployment/${keeper.name.slice(0, -rollout.length - 1)}`
  }
  // A CronJob's Jobs end in the minute that they are for.
  if (keeper.kind === 'Job') return `Job/${keeper.name.replace(/-\d{8,}$/, '')}`
  return `${keeper.kind}/${keeper.name}`
}

function readMountinfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
  } catch {
    return ''
  }
}
