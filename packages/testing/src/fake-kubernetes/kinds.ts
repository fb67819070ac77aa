/** A kind of object that the server knows. */
export interface FakeKind {
  /** `''` for the core group. */
  readonly group: string
  readonly version: string
  /** Plural, as in paths: `pods`. */
  readonly resource: string
  readonly kind: string
  /** False for objects of the cluster, such as nodes. */
  readonly namespaced: boolean
  readonly shortNames?: readonly string[] | undefined
  /** Whether PUT makes what isn't there. Default: no. */
  readonly createOnUpdate?: boolean | undefined
  /** Whether PUT must say which version it replaces. Default: no. */
  readonly needsVersion?: boolean | undefined
  /** Whether it is written only, and answered at once: access reviews. Default: no. */
  readonly review?: boolean | undefined
}

type Row = readonly [resource: string, kind: string, shortNames?: string, traits?: Partial<FakeKind>]

const cluster: Partial<FakeKind> = { namespaced: false }
const upsert: Partial<FakeKind> = { createOnUpdate: true }
const review: Partial<FakeKind> = { namespaced: false, review: true }

const groups: Readonly<Record<string, readonly Row[]>> = {
  v1: [
    ['configmaps', 'ConfigMap', 'cm'],
    ['endpoints', 'Endpoints', 'ep', upsert],
    ['events', 'Event', 'ev', upsert],
    ['limitranges', 'LimitRange', 'limits', upsert],
    ['namespaces', 'Namespace', 'ns', cluster],
    ['nodes', 'Node', 'no', cluster],
    ['persistentvolumeclaims', 'PersistentVolumeClaim', 'pvc'],
    ['persistentvolumes', 'PersistentVolume', 'pv', cluster],
    ['pods', 'Pod', 'po'],
    ['resourcequotas', 'ResourceQuota', 'quota'],
    ['secrets', 'Secret'],
    ['serviceaccounts', 'ServiceAccount', 'sa'],
    ['services', 'Service', 'svc', upsert],
  ],
  'apps/v1': [
    ['controllerrevisions', 'ControllerRevision'],
    ['daemonsets', 'DaemonSet', 'ds'],
    ['deployments', 'Deployment', 'deploy'],
    ['replicasets', 'ReplicaSet', 'rs'],
    ['statefulsets', 'StatefulSet', 'sts'],
  ],
  'authentication.k8s.io/v1': [['selfsubjectreviews', 'SelfSubjectReview', undefined, review]],
  'authorization.k8s.io/v1': [
    ['selfsubjectaccessreviews', 'SelfSubjectAccessReview', undefined, review],
    ['selfsubjectrulesreviews', 'SelfSubjectRulesReview', undefined, review],
  ],
  'batch/v1': [
    ['cronjobs', 'CronJob', 'cj'],
    ['jobs', 'Job'],
  ],
  'coordination.k8s.io/v1': [['leases', 'Lease', undefined, { createOnUpdate: true, needsVersion: true }]],
  'events.k8s.io/v1': [['events', 'Event', 'ev', upsert]],
  'networking.k8s.io/v1': [
    ['ingresses', 'Ingress', 'ing'],
    ['networkpolicies', 'NetworkPolicy', 'netpol'],
  ],
  'policy/v1': [['poddisruptionbudgets', 'PodDisruptionBudget', 'pdb']],
  'rbac.authorization.k8s.io/v1': [
    ['clusterrolebindings', 'ClusterRoleBinding', undefined, { ...cluster, ...upsert }],
    ['clusterroles', 'ClusterRole', undefined, { ...cluster, ...upsert }],
    ['rolebindings', 'RoleBinding', undefined, upsert],
    ['roles', 'Role', undefined, upsert],
  ],
  'scheduling.k8s.io/v1': [['priorityclasses', 'PriorityClass', 'pc', cluster]],
  'storage.k8s.io/v1': [
    ['storageclasses', 'StorageClass', 'sc', cluster],
    ['volumeattachments', 'VolumeAttachment', undefined, cluster],
  ],
}

/** The kinds that every server has. */
export const builtInKinds: readonly FakeKind[] = Object.entries(groups).flatMap(([groupVersion, rows]) =>
  rows.map(([resource, kind, shortNames, traits]): FakeKind => {
    const [version = '', group = ''] = groupVersion.split('/').toReversed()
    return { group, version, resource, kind, namespaced: true, shortNames: shortNames?.split(','), ...traits }
  }),
)

/** The kinds of one server. */
export interface Kinds {
  readonly all: readonly FakeKind[]
  /** By what a path says. */
  at(group: string, version: string, resource: string): FakeKind | undefined
  /** By what an object says of itself. */
  of(apiVersion: string, kind: string): FakeKind | undefined
  /**
   * By what kubectl takes: `pods`, `pod`, `po`, `leases.coordination.k8s.io`.
   *
   * @throws TypeError when there is none
   */
  named(type: string): FakeKind
}

/** @param more - kinds besides the built-in ones */
export function createKinds(more: readonly FakeKind[] = []): Kinds {
  const all = [...builtInKinds, ...more]
  return {
    all,
    at: (group, version, resource) =>
      all.find((each) => each.group === group && each.version === version && each.resource === resource),
    of: (apiVersion, kind) => all.find((each) => groupVersionOf(each) === apiVersion && each.kind === kind),
    named(type) {
      const [name = '', ...group] = type.toLowerCase().split('.')
      const found = all.find(
        (each) =>
          (group.length === 0 || each.group === group.join('.')) &&
          (each.resource === name || each.kind.toLowerCase() === name || each.shortNames?.includes(name)),
      )
      if (!found)
        throw new TypeError(`the fake server knows no kind ${type}: name it in startFakeKubernetes({ kinds })`)
      return found
    },
  }
}

/** `v1`, `apps/v1`. */
export function groupVersionOf({ group, version }: Pick<FakeKind, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`
}

/** `pods`, `deployments.apps`: as messages say it. */
export function groupResourceOf({ group, resource }: Pick<FakeKind, 'group' | 'resource'>): string {
  return group === '' ? resource : `${resource}.${group}`
}
