import type { Kubernetes } from '@holdfast/sdk'
import { claimName } from '../discovery/find-claims.ts'
import type { PersistentVolumeClaim } from '../discovery/objects.ts'
import { errors } from '../errors.ts'
import { labelNames } from '../labels.ts'
import type { Restore } from './context.ts'
import type { Destination } from './destination.ts'
import { existingClaim } from './existing-claim.ts'
import { newClaim } from './new-claim.ts'

/**
 * A claim: the one of that name, or a new one.
 *
 * @param text - `[namespace/]name`
 * @throws HoldfastError `DISCOVERY_NO_KUBERNETES`, and what keeps the claim from being written to
 */
export async function claimDestination(restore: Restore, text: string): Promise<Destination> {
  const { ctx, version } = restore
  const { kubernetes } = ctx
  if (!kubernetes) throw errors.DISCOVERY_NO_KUBERNETES({ asked: `the claim ${text}` })
  const at = claimName(text, version.labels[labelNames.pvcNamespace] ?? kubernetes.namespace)
  const found = await lookUp(kubernetes, at)
  return found ? existingClaim(restore, kubernetes, found) : newClaim(restore, kubernetes, at)
}

function lookUp(
  kubernetes: Kubernetes,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<PersistentVolumeClaim | undefined> {
  return kubernetes.get<PersistentVolumeClaim>('persistentvolumeclaims', name, { namespace })
}
