// A daemon in a pod, as a user would deploy it, with a configuration of hooks in a ConfigMap.
import { images, reachesApi } from './namespace.ts'

/** What the daemon of a test may do: what `holdfast generate rbac` prints for it. */
export function account(namespace: string, rules: readonly object[], name = 'holdfast'): readonly object[] {
  const metadata = { name, namespace }
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    },
  ]
}

/** A rule of a Role. */
export function rule(apiGroup: string, resource: string, ...verbs: readonly string[]): object {
  return { apiGroups: [apiGroup], resources: [resource], verbs }
}

/** What the engine itself asks for. */
export const engineRules = [
  rule('', 'configmaps', 'create', 'get', 'list', 'delete'),
  rule('', 'pods', 'get'),
  rule('', 'events', 'create'),
]

/** A ConfigMap. */
export function configMap(namespace: string, name: string, data: Readonly<Record<string, string>>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data }
}

/** What differs between the daemons of tests. */
export interface SidecarOptions {
  /** A ConfigMap with `holdfast.config.ts` or `holdfast.yaml`, mounted at /etc/holdfast. */
  readonly config?: string | undefined
  /** A directory of this machine at /shared, which outlives pods. */
  readonly shared?: string | undefined
  /** Default: an emptyDir. `false`: the state dies with the container. */
  readonly state?: false | undefined
  readonly env?: readonly object[] | undefined
  readonly command?: readonly string[] | undefined
  readonly containers?: readonly object[] | undefined
  readonly image?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly graceSeconds?: number | undefined
  readonly security?: object | undefined
}

const field = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } })

/** The pod template of a daemon. */
export function sidecarTemplate(options: SidecarOptions): { metadata: object; spec: object } {
  const { config, shared, state, env = [], command, containers = [], image = images.holdfast, labels = {} } = options
  const mounts = [
    ...(config === undefined ? [] : [{ name: 'config', mountPath: '/etc/holdfast', readOnly: true }]),
    ...(shared === undefined ? [] : [{ name: 'shared', mountPath: '/shared' }]),
    ...(state === false ? [] : [{ name: 'state', mountPath: '/var/lib/holdfast' }]),
  ]
  const volumes = [
    ...(config === undefined ? [] : [{ name: 'config', configMap: { name: config } }]),
    ...(shared === undefined ? [] : [{ name: 'shared', hostPath: { path: shared, type: 'Directory' } }]),
    ...(state === false ? [] : [{ name: 'state', emptyDir: {} }]),
  ]
  return {
    metadata: { labels },
    spec: {
      hostNetwork: reachesApi.hostNetwork,
      serviceAccountName: 'holdfast',
      terminationGracePeriodSeconds: options.graceSeconds ?? 20,
      containers: [
        {
          name: 'holdfast',
          image,
          imagePullPolicy: 'Never',
          ...(command && { args: command }),
          ...(options.security && { securityContext: options.security }),
          env: [
            ...reachesApi.env,
            field('POD_NAME', 'metadata.name'),
            field('POD_NAMESPACE', 'metadata.namespace'),
            field('POD_UID', 'metadata.uid'),
            { name: 'HOLDFAST_CONTAINER_NAME', value: 'holdfast' },
            // Pods of this cluster share the host's ports.
            { name: 'HOLDFAST_LISTEN', value: '0' },
            ...env,
          ],
          volumeMounts: mounts,
        },
        ...containers,
      ],
      volumes,
    },
  }
}

/** A Deployment of daemons. */
export function deploymentOf(namespace: string, name: string, replicas: number, options: SidecarOptions): object {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: sidecarTemplate({ ...options, labels }),
    },
  }
}
