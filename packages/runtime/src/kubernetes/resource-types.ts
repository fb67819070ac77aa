// Which path of the API a type is at. What is built into Kubernetes is known; the rest is asked for once.
import { errors } from '../errors.ts'
import type { ApiClient } from './api-client.ts'

/** A type of objects, as the API serves it. */
export interface ResourceType {
  readonly group: string
  readonly version: string
  /** Plural, as in paths and rules. */
  readonly resource: string
  readonly kind: string
  readonly namespaced: boolean
}

type Row = readonly [group: string, version: string, kind: string, scope?: 'cluster']

/** Served by every supported Kubernetes, so that no permission and no round trip is needed to find it. */
const builtIn: Readonly<Record<string, Row>> = {
  configmaps: ['', 'v1', 'ConfigMap'],
  events: ['', 'v1', 'Event'],
  namespaces: ['', 'v1', 'Namespace', 'cluster'],
  nodes: ['', 'v1', 'Node', 'cluster'],
  persistentvolumeclaims: ['', 'v1', 'PersistentVolumeClaim'],
  persistentvolumes: ['', 'v1', 'PersistentVolume', 'cluster'],
  pods: ['', 'v1', 'Pod'],
  secrets: ['', 'v1', 'Secret'],
  serviceaccounts: ['', 'v1', 'ServiceAccount'],
  services: ['', 'v1', 'Service'],
  daemonsets: ['apps', 'v1', 'DaemonSet'],
  deployments: ['apps', 'v1', 'Deployment'],
  replicasets: ['apps', 'v1', 'ReplicaSet'],
  statefulsets: ['apps', 'v1', 'StatefulSet'],
  cronjobs: ['batch', 'v1', 'CronJob'],
  jobs: ['batch', 'v1', 'Job'],
  leases: ['coordination.k8s.io', 'v1', 'Lease'],
  storageclasses: ['storage.k8s.io', 'v1', 'StorageClass', 'cluster'],
  volumeattachments: ['storage.k8s.io', 'v1', 'VolumeAttachment', 'cluster'],
  selfsubjectaccessreviews: ['authorization.k8s.io', 'v1', 'SelfSubjectAccessReview', 'cluster'],
}

/** Looks types up, as kubectl says them: `pods`, `leases.coordination.k8s.io`. */
export interface ResourceTypes {
  /** @throws HoldfastError `KUBERNETES_TYPE_UNKNOWN`, `KUBERNETES_…` */
  find(type: string): Promise<ResourceType>
}

/** Creates {@link ResourceTypes}; what was found is remembered. */
export function createResourceTypes(api: Pick<ApiClient, 'request'>): ResourceTypes {
  const found = new Map<string, Promise<ResourceType>>()
  return {
    find(type) {
      const known = builtInType(type)
      if (known) return Promise.resolve(known)
      let lookup = found.get(type)
      if (!lookup) {
        lookup = discover(api, type)
        found.set(type, lookup)
        // Tomorrow its definition may be there.
        lookup.catch(() => found.delete(type))
      }
      return lookup
    },
  }
}

/** The path of a type's objects, or of one of them. */
export function pathOf(type: ResourceType, namespace: string | undefined, name?: string): string {
  const root = type.group === '' ? '/api/v1' : `/apis/${type.group}/${type.version}`
  const within = type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${within}/${type.resource}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

/** `apps/v1`. */
export function apiVersionOf({ group, version }: Pick<ResourceType, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`
}

function builtInType(type: string): ResourceType | undefined {
  const [resource = '', ...group] = type.split('.')
  const row = Object.hasOwn(builtIn, resource) ? builtIn[resource] : undefined
  if (!row || (group.length > 0 && group.join('.') !== row[0])) return undefined
  return { group: row[0], version: row[1], resource, kind: row[2], namespaced: row[3] !== 'cluster' }
}

interface ApiGroup {
  readonly preferredVersion?: { readonly version?: string }
}
interface ApiResources {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[]
}

async function discover(api: Pick<ApiClient, 'request'>, type: string): Promise<ResourceType> {
  const [resource = '', ...rest] = type.split('.')
  const group = rest.join('.')
  const unknown = (cause?: unknown): Error => errors.KUBERNETES_TYPE_UNKNOWN({ type }, { cause })
  if (!/^[a-z0-9-]+$/.test(resource) || !/^[a-z0-9.-]*$/.test(group)) throw unknown()
  let version = 'v1'
  if (group !== '') {
    const served = await ask<ApiGroup>(api, `/apis/${group}`, unknown)
    version = served.preferredVersion?.version ?? version
  }
  const listed = await ask<ApiResources>(api, group === '' ? '/api/v1' : `/apis/${group}/${version}`, unknown)
  const match = listed.resources?.find(({ name }) => name === resource)
  if (!match) throw unknown()
  return { group, version, resource, kind: match.kind, namespaced: match.namespaced }
}

async function ask<T>(api: Pick<ApiClient, 'request'>, path: string, unknown: (cause: unknown) => Error): Promise<T> {
  try {
    return await api.request<T>({ method: 'GET', path })
  } catch (error) {
    throw (error as { code?: string }).code === 'KUBERNETES_NOT_FOUND' ? unknown(error) : error
  }
}
