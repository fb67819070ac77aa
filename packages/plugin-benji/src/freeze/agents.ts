import type { ContainerRef, Kubernetes, KubernetesObject } from '@holdfast/sdk'

interface AgentPod extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & {
    readonly deletionTimestamp?: string
    readonly creationTimestamp?: string
  }
  readonly status?: {
    readonly phase?: string
    readonly containerStatuses?: readonly { readonly name: string; readonly state?: { readonly running?: object } }[]
  }
}

/** Where agents are found. Safe in JSON, for undos. */
export interface AgentPlace {
  /** Namespace of the agents: our own. */
  readonly namespace: string
  readonly selector: string
  readonly container: string
  readonly node: string
}

/**
 * The agent on a node, the youngest that runs. One that is about to end starts nothing any more.
 *
 * @returns a container, or why there is none
 */
export async function findAgent(
  kubernetes: Kubernetes,
  { namespace, selector, container, node }: AgentPlace,
): Promise<(ContainerRef & { readonly pod: string }) | { readonly reason: string }> {
  const found: AgentPod[] = []
  const query = { namespace, labelSelector: selector, fieldSelector: `spec.nodeName=${node}` }
  for await (const pod of kubernetes.list<AgentPod>('pods', query)) found.push(pod)
  const [best] = found.filter((pod) => runs(pod, container)).toSorted((a, b) => age(b).localeCompare(age(a)))
  if (best) return { namespace, pod: best.metadata.name, container }
  const [first] = found
  return {
    reason: first
      ? `the freeze agent on its node ${node} does not run, or is about to end (${namespace}/${first.metadata.name}, container ${container})`
      : `no freeze agent is on its node ${node} (pods with ${selector} in the namespace ${namespace})`,
  }
}

function runs({ metadata, status }: AgentPod, container: string): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    status?.phase === 'Running' &&
    (status.containerStatuses ?? []).some(({ name, state }) => name === container && state?.running !== undefined)
  )
}

function age({ metadata }: AgentPod): string {
  return metadata.creationTimestamp ?? ''
}
