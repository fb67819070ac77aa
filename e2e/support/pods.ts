import { getObject, kubectl, listObjects, run, waitFor, type Ended } from './kubectl.ts'

/** A pod as far as tests look at it. */
export interface Pod {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly deletionTimestamp?: string
    readonly labels?: Record<string, string>
  }
  readonly status: {
    readonly phase: string
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
  }
}

interface ContainerStatus {
  readonly name: string
  readonly ready: boolean
  readonly restartCount: number
  readonly containerID?: string
  readonly state: { readonly running?: object; readonly terminated?: { readonly exitCode: number } }
}

/** A pod of one container. */
export function podOf(
  namespace: string,
  name: string,
  container: Record<string, unknown>,
  more: Record<string, unknown> = {},
): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', imagePullPolicy: 'Never', ...container }],
      ...more,
    },
  }
}

/** Waits until all containers of a pod are ready. */
export function ready(namespace: string, name: string, seconds = 60): Promise<Pod> {
  return waitFor(
    `pod ${name} to be ready`,
    async () => {
      const pod = await getObject<Pod>('pod', name, namespace)
      const containers = pod?.status.containerStatuses ?? []
      return containers.length > 0 && containers.every((each) => each.ready) ? pod : undefined
    },
    seconds,
  )
}

/** Waits until a pod has ended. */
export function ended(namespace: string, name: string, seconds = 60): Promise<Pod> {
  return waitFor(
    `pod ${name} to end`,
    async () => {
      const pod = await getObject<Pod>('pod', name, namespace)
      return pod && ['Succeeded', 'Failed'].includes(pod.status.phase) ? pod : undefined
    },
    seconds,
  )
}

/** The pods of a selector that are not being deleted. */
export async function podsOf(namespace: string, selector: string): Promise<readonly Pod[]> {
  const pods = await listObjects<Pod>('pods', namespace, ['-l', selector])
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

/** Runs a command in a container by kubectl, whatever its exit code. */
export function execIn(
  namespace: string,
  pod: string,
  container: string,
  command: readonly string[],
  input?: string,
): Promise<Ended> {
  const stdin = input === undefined ? [] : ['-i']
  return run('kubectl', ['-n', namespace, 'exec', ...stdin, pod, '-c', container, '--', ...command], { input })
}

/** What a container has printed. */
export function logsOf(
  namespace: string,
  pod: string,
  container: string,
  more: readonly string[] = [],
): Promise<string> {
  return kubectl(['-n', namespace, 'logs', pod, '-c', container, ...more])
}
