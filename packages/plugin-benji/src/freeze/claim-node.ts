import { hostname } from 'node:os'
import type { Kubernetes, KubernetesObject } from '@holdfast/sdk'
import type { Claim } from '../target.ts'
import { impossible } from './impossible.ts'

interface Pod extends KubernetesObject {
  readonly spec?: {
    readonly nodeName?: string
    readonly volumes?: readonly {
      readonly name: string
      readonly persistentVolumeClaim?: { readonly claimName?: string }
      readonly ephemeral?: object
    }[]
  }
  readonly status?: { readonly phase?: string }
}

/**
 * The node on which a claim is mounted: that of the running pods that use it, in the claim's own namespace (K2, B2).
 *
 * @throws HoldfastError `FREEZE_IMPOSSIBLE` when there isn't exactly one
 */
export async function nodeOfClaim(kubernetes: Kubernetes, claim: Claim): Promise<string> {
  const { namespace, name } = claim
  if (claim.volumeMode === 'Block') {
    throw impossible(
      claim,
      'it is a block device without a filesystem of the node',
      'Remove the annotation: nothing on the node can make it stand still.',
    )
  }
  const running: Pod[] = []
  const starting: Pod[] = []
  for await (const pod of kubernetes.list<Pod>('pods', { namespace })) {
    if (!uses(pod, name)) continue
    const phase = pod.status?.phase
    // A pod of a lost node is Unknown: what it has mounted is still there.
    if (phase === 'Running' || phase === 'Unknown') running.push(pod)
    // Without a node it can't have mounted anything; what has ended has it no more.
    else if (phase === 'Pending') starting.push(pod)
  }
  refuseOurselves(kubernetes, claim, [...running, ...starting])
  if (running.length === 0) {
    throw starting.length > 0
      ? impossible(
          claim,
          `the pods that use it are still starting: ${names(starting)}`,
          'The next run finds them running; if they never start, `kubectl describe pod` says why.',
        )
      : impossible(
          claim,
          `no running pod in the namespace ${namespace} uses it`,
          'What is not mounted stands still by itself.',
        )
  }
  const nodes = [...new Set([...running, ...starting].flatMap(({ spec }) => spec?.nodeName || []))]
  const [node] = nodes
  if (node === undefined) throw impossible(claim, `the pods that use it are on no node: ${names(running)}`, '')
  if (nodes.length > 1) {
    throw impossible(
      claim,
      `it is mounted on ${nodes.length} nodes: ${nodes.toSorted().join(', ')}`,
      'A filesystem that several nodes write to cannot be made to stand still by freezing it on one of them.',
    )
  }
  return node
}

/** A pod of Holdfast's that freezes its own volume could never thaw it again (DESIGN §4d). */
function refuseOurselves({ namespace }: Kubernetes, claim: Claim, pods: readonly Pod[]): void {
  if (claim.namespace !== namespace) return
  const own = [process.env['POD_NAME'], hostname()]
  const self = pods.find(({ metadata }) => own.includes(metadata.name))
  if (!self) return
  throw impossible(
    claim,
    `this pod, ${self.metadata.name}, keeps its own state on it`,
    'Holdfast would stop at its own freeze.',
  )
}

function uses(pod: Pod, claim: string): boolean {
  return (pod.spec?.volumes ?? []).some(
    (volume) =>
      volume.persistentVolumeClaim?.claimName === claim ||
      // The claim of such a volume is named after both.
      (volume.ephemeral !== undefined && `${pod.metadata.name}-${volume.name}` === claim),
  )
}

function names(pods: readonly Pod[]): string {
  return pods
    .map(({ metadata }) => metadata.name)
    .toSorted()
    .join(', ')
}
