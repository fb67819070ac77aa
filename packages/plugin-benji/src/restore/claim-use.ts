import type { Kubernetes } from '@holdfast/sdk'
import type { Pod } from '../discovery/objects.ts'

/** Pods that mount a claim, or are about to; those that have ended don't. */
export async function podsUsing(
  kubernetes: Kubernetes,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<readonly string[]> {
  const pods: string[] = []
  for await (const pod of kubernetes.list<Pod>('pods', { namespace })) {
    const phase = pod.status?.phase
    if (phase !== 'Succeeded' && phase !== 'Failed' && mounts(pod, name)) pods.push(pod.metadata.name)
  }
  return pods
}

function mounts({ metadata, spec }: Pod, claim: string): boolean {
  return (spec?.volumes ?? []).some(
    ({ name, persistentVolumeClaim, ephemeral }) =>
      persistentVolumeClaim?.claimName === claim ||
      // Of a generic ephemeral volume.
      (ephemeral !== undefined && `${metadata.name}-${name}` === claim),
  )
}
