import type { KubernetesObject } from '@holdfast/sdk'
import type { FakeKind } from './kinds.ts'
import { select } from './lists.ts'
import { toSeconds, type ObjectStore, type StoredMetadata, type StoredObject } from './object-store.ts'
import {
  asNew,
  checkPreconditions,
  deleted,
  generatedName,
  needsVersion,
  otherUid,
  readObject,
  requireName,
  requireSameName,
  withMetadata,
  type Place,
} from './object-rules.ts'
import { applyPatch } from './patch.ts'
import { StatusError, alreadyExists, conflict, notFound, type StatusBody } from './status.ts'
import { validate } from './validation.ts'

/** What may be done with single objects, by a real server's rules. Everything throws a StatusError. */
export interface Resources {
  get(place: Place): StoredObject
  create(place: Place, body: unknown): StoredObject
  update(place: Place, body: unknown): StoredObject
  patch(place: Place, patch: unknown, contentType: string): { readonly object: StoredObject; readonly created: boolean }
  delete(place: Place, options: unknown): StoredObject | StatusBody
  deleteAll(place: Place, options: unknown, query: URLSearchParams): readonly StoredObject[]
}

/** @param onRemoved - is told of each object that is gone */
export function createResources(
  store: ObjectStore,
  now: () => Date,
  onRemoved: (kind: FakeKind, object: StoredObject) => void,
): Resources {
  const existing = ({ kind, namespace, name }: Place): StoredObject => {
    const object = store.get(kind, namespace, name)
    if (!object) throw notFound(kind, name)
    return object
  }
  const save = ({ kind, dryRun }: Place, object: KubernetesObject, before?: StoredObject): StoredObject => {
    validate(kind, object, before)
    return dryRun ? (object as StoredObject) : store.put(kind, object)
  }
  const drop = (place: Place, object: StoredObject): void => {
    if (place.dryRun) return
    store.remove(place.kind, place.namespace, object.metadata.name)
    onRemoved(place.kind, object)
  }

  const resources: Resources = {
    get: existing,
    create(place, body) {
      const object = readObject(place, body)
      const { name, generateName } = object.metadata as Partial<StoredMetadata>
      if (name === '' && typeof generateName === 'string') {
        return save(place, asNew(object, generatedName(generateName)))
      }
      requireName(place, object)
      if (store.get(place.kind, place.namespace, object.metadata.name)) {
        throw alreadyExists(place.kind, object.metadata.name)
      }
      if ((object.metadata as StoredMetadata).resourceVersion) {
        throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created')
      }
      return save(place, asNew(object, object.metadata.name))
    },
    update(place, body) {
      const object = readObject(place, body)
      requireName(place, object)
      requireSameName(place, object)
      const { kind } = place
      const { uid = '', resourceVersion = '' } = object.metadata as Partial<StoredMetadata>
      if (kind.needsVersion === true && resourceVersion === '') throw needsVersion(place)
      const before = store.get(kind, place.namespace, place.name)
      if (before || kind.createOnUpdate !== true) return replace(place, existing(place), object)
      if (uid !== '') throw otherUid(place, uid, '')
      return save(place, asNew(object, place.name))
    },
    patch(place, patch, contentType) {
      const isApply = contentType.startsWith('application/apply-patch')
      const before = store.get(place.kind, place.namespace, place.name)
      if (!before && isApply) return { object: resources.create(place, patch), created: true }
      const current = existing(place)
      // Without a version of its own, a patch is for the newest one, which is what it was applied to.
      const object = readObject(place, applyPatch(current, patch, contentType))
      requireSameName(place, object)
      return { object: replace(place, current, object), created: false }
    },
    delete(place, options) {
      const object = existing(place)
      checkPreconditions(place, object, options)
      if ((object.metadata.finalizers ?? []).length > 0) {
        if (object.metadata.deletionTimestamp !== undefined) return object
        const marks = { deletionTimestamp: toSeconds(now()), deletionGracePeriodSeconds: 0 }
        return save(place, withMetadata(object, marks))
      }
      drop(place, object)
      return place.kind.resource === 'pods' ? object : deleted(place, object)
    },
    deleteAll(place, options, query) {
      const { kind, namespace } = place
      const labels = query.get('labelSelector') ?? ''
      const chosen = select(kind, store.list(kind, namespace), labels, query.get('fieldSelector') ?? '')
      for (const { metadata } of chosen) {
        resources.delete({ ...place, namespace: metadata.namespace ?? '', name: metadata.name }, options)
      }
      return chosen
    },
  }

  const replace = (place: Place, before: StoredObject, object: KubernetesObject): StoredObject => {
    const { kind, name, subresource } = place
    const { uid = '', resourceVersion = '' } = object.metadata as Partial<StoredMetadata>
    if (uid !== '' && uid !== before.metadata.uid) throw otherUid(place, uid, before.metadata.uid)
    if (resourceVersion !== '' && resourceVersion !== before.metadata.resourceVersion) {
      const why = 'the object has been modified; please apply your changes to the latest version and try again'
      throw conflict(kind, name, why)
    }
    const { deletionTimestamp, deletionGracePeriodSeconds } = before.metadata
    // A status is changed through its own path, and nothing else is there.
    const next =
      subresource === 'status'
        ? { ...before, status: object['status'] }
        : withMetadata(object, { deletionTimestamp, deletionGracePeriodSeconds })
    const { finalizers = [] } = next.metadata as StoredMetadata
    if (deletionTimestamp === undefined || finalizers.length > 0) return save(place, next, before)
    drop(place, before)
    return next as StoredObject
  }
  return resources
}
