import type { KubernetesObject } from '@holdfast/sdk'
import { groupVersionOf, type FakeKind, type Kinds } from './kinds.ts'
import type { ObjectStore, StoredObject } from './object-store.ts'

/** What is in the cluster, past its API: nothing is recorded, refused or misbehaves. */
export interface FakeObjects {
  /**
   * Adds an object, or replaces it. Its namespace is made when it isn't there.
   *
   * @throws TypeError when it doesn't say `apiVersion` and `kind`, or the server knows no such kind
   */
  put(object: KubernetesObject): StoredObject
  /**
   * @param type - as kubectl takes it: `pods`, `leases.coordination.k8s.io`
   * @param namespace - `''` for objects of the cluster
   */
  get(type: string, namespace: string, name: string): StoredObject | undefined
  /** @param namespace - default: all of them */
  list(type: string, namespace?: string): readonly StoredObject[]
  /** Takes an object away at once, whatever its finalizers. What runs in a pod is killed. */
  remove(type: string, namespace: string, name: string): void
}

export function addObjects(
  kinds: Kinds,
  store: ObjectStore,
  ownNamespace: string,
  onRemoved: (kind: FakeKind, object: StoredObject) => void,
): FakeObjects {
  const namespaces = kinds.named('namespaces')
  const objects: FakeObjects = {
    put(object) {
      const { apiVersion = '', kind: name = '' } = object
      const kind = kinds.of(apiVersion, name)
      if (!kind)
        throw new TypeError(`the fake server knows no ${apiVersion} ${name}: name it in startFakeKubernetes({ kinds })`)
      if (!kind.namespaced) return store.put(kind, object)
      const { namespace = ownNamespace } = object.metadata
      if (!store.get(namespaces, '', namespace)) {
        store.put(namespaces, {
          metadata: { name: namespace },
          apiVersion: groupVersionOf(namespaces),
          status: { phase: 'Active' },
        })
      }
      return store.put(kind, { ...object, metadata: { ...object.metadata, namespace } })
    },
    get: (type, namespace, name) => store.get(kinds.named(type), namespace, name),
    list: (type, namespace = '') => store.list(kinds.named(type), namespace),
    remove(type, namespace, name) {
      const kind = kinds.named(type)
      const removed = store.remove(kind, namespace, name)
      if (removed) onRemoved(kind, removed)
    },
  }
  return objects
}
