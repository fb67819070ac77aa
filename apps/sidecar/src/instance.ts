// Pods of a StatefulSet run the same configuration, each with a volume of its own: in the store they must not be one.
import type { ResolvedConfig } from '@holdfast/runtime'

/**
 * The instance of this pod: where each replica schedules, the pod's ordinal is appended. Pods of a Deployment, a
 * DaemonSet or a Job have none: their names end in five random characters.
 *
 * @param env - `HOLDFAST_POD_INDEX` (of the label `apps.kubernetes.io/pod-index`), else the end of `POD_NAME` in a cluster
 */
export function instanceOfPod(
  { instance, replicas }: Pick<ResolvedConfig, 'instance' | 'replicas'>,
  env: NodeJS.ProcessEnv,
): string {
  if (replicas !== 'each') return instance
  const index = env['HOLDFAST_POD_INDEX'] || (env['KUBERNETES_SERVICE_HOST'] ? ordinalIn(env['POD_NAME']) : undefined)
  return index === undefined ? instance : `${instance}-${index}`
}

function ordinalIn(pod: string | undefined): string | undefined {
  return /-(\d{1,4})$/.exec(pod ?? '')?.[1]
}
