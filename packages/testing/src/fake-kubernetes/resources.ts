import { randomInt } from 'node:crypto'
import type { KubernetesObject } from '@holdfast/sdk'
import type { FakeKind } from './kinds.ts'
import { select } from './lists.ts'
import { toSeconds, type ObjectStore, type StoredMetadata, type StoredObject } from './object-store.ts'
import { applyPatch } from './patch.ts'
import { alreadyExists, badRequest, conflict, invalid, notFound, type StatusBody } from './status.ts'
import { validate } from './validation.ts'

/** One object, or the place for one. */
export interface Place {
  readonly kind: FakeKind
  readonly namespace: string
  readonly name: string
  /** `''` or `status`. */
  readonly subresource: string
  /** Answers as usual and stores nothing. */
  readonly dryRun: boolean
}

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
  const save = ({ kind, dryRun }: Place, object: KubernetesObject): StoredObject => {
    validate(kind, object)
    if (dryRun) return { ...(object as StoredObject) }
    return store.put(kind, object)
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
      const { metadata } = object as StoredObject
      const { generateName } = metadata
      if (typeof generateName === 'string' && metadata.name === '') {
        return save(place, withMetadata(object, { name: generatedName(generateName) }))
      }
      requireName(place, object)
      if (store.get(place.kind, place.namespace, metadata.name)) throw alreadyExists(place.kind, metadata.name)
      if (metadata.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created')
      return save(place, withMetadata(object, { uid: undefined, creationTimestamp: undefined }))
    },
    update(place, body) {
      const object = readObject(place, body)
      requireName(place, object)
      if (object.metadata.name !== place.name) {
        throw badRequest(
          `the name of the object (${object.metadata.name}) does not match the name on the URL (${place.name})`,
        )
      }
      const before = store.get(place.kind, place.namespace, place.name)
      if (!before && place.kind.createOnUpdate === true) return save(place, object)
      return replace(place, existing(place), object)
    },
    patch(place, patch, contentType) {
      const before = store.get(place.kind, place.namespace, place.name)
      if (!before && contentType.startsWith('application/apply-patch')) {
        return { object: resources.create(place, patch), created: true }
      }
      const current = existing(place)
      // Without a version of its own, a patch is for the newest one, which is what it was applied to.
      const object = readObject(place, applyPatch(current, patch, contentType))
      return { object: replace(place, current, object), created: false }
    },
    delete(place, options) {
      const object = existing(place)
      checkPreconditions(place, object, options)
      if ((object.metadata.finalizers ?? []).length > 0) {
        if (object.metadata.deletionTimestamp !== undefined) return object
        return save(place, withMetadata(object, { deletionTimestamp: toSeconds(now()) }))
      }
      drop(place, object)
      return place.kind.resource === 'pods' ? object : deleted(place, object)
    },
    deleteAll(place, options, query) {
      const { kind, namespace } = place
      const labels = query.get('labelSelector') ?? ''
      const chosen = select(store.list(kind, namespace), labels, query.get('fieldSelector') ?? '')
      for (const { metadata } of chosen) {
        resources.delete({ ...place, namespace: metadata.namespace ?? '', name: metadata.name }, options)
      }
      return chosen
    },
  }

  const replace = (place: Place, before: StoredObject, object: KubernetesObject): StoredObject => {
    const { kind, name, subresource } = place
    const { uid, resourceVersion } = object.metadata as Partial<StoredMetadata>
    if (uid !== undefined && uid !== '' && uid !== before.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`
      throw conflict(kind, name, why)
    }
    if (resourceVersion === undefined || resourceVersion === '') {
      if (kind.needsVersion === true) {
        const message = 'Invalid value: 0x0: must be specified for an update'
        throw invalid(kind, name, [{ field: 'metadata.resourceVersion', reason: 'FieldValueInvalid', message }])
      }
    } else if (resourceVersion !== before.metadata.resourceVersion) {
      const why = 'the object has been modified; please apply your changes to the latest version and try again'
      throw conflict(kind, name, why)
    }
    // A status is changed through its own path, and nothing else is there.
    const next =
      subresource === 'status'
        ? { ...before, status: object['status'] }
        : withMetadata(object, { deletionTimestamp: before.metadata.deletionTimestamp })
    const { finalizers = [], deletionTimestamp } = next.metadata as StoredMetadata
    if (deletionTimestamp === undefined || finalizers.length > 0) return save(place, next)
    drop(place, before)
    return next as StoredObject
  }
  return resources
}

/** The body as an object of the path's kind and namespace. */
function readObject({ kind, namespace }: Place, body: unknown): KubernetesObject {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('the object provided is unrecognized (must be of type object)')
  }
  const object = body as Partial<KubernetesObject>
  if (object.kind !== undefined && object.kind !== kind.kind) {
    throw badRequest(`${object.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`)
  }
  const given = object.metadata?.namespace
  if (kind.namespaced && given !== undefined && given !== '' && given !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  const metadata: Partial<KubernetesObject['metadata']> = { ...object.metadata, namespace: undefined }
  return {
    ...object,
    metadata: { ...metadata, name: metadata.name ?? '', ...(kind.namespaced ? { namespace } : {}) },
  }
}

function requireName({ kind }: Place, { metadata: { name } }: KubernetesObject): void {
  if (name !== '') return
  const message = 'Required value: name or generateName is required'
  throw invalid(kind, '', [{ field: 'metadata.name', reason: 'FieldValueRequired', message }])
}

function withMetadata(
  object: KubernetesObject,
  metadata: Partial<Record<keyof StoredMetadata, unknown>>,
): KubernetesObject {
  const merged = Object.entries({ ...object.metadata, ...metadata }).filter(([, value]) => value !== undefined)
  return { ...object, metadata: Object.fromEntries(merged) as unknown as KubernetesObject['metadata'] }
}

function generatedName(prefix: string): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789'
  return prefix.slice(0, 58) + Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('')
}

function checkPreconditions({ kind, name }: Place, { metadata }: StoredObject, options: unknown): void {
  const { preconditions = {} } = (options ?? {}) as {
    readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  }
  const { uid, resourceVersion } = preconditions
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`
    throw conflict(kind, name, why)
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`
    throw conflict(kind, name, why)
  }
}

function deleted({ kind: { group, resource } }: Place, { metadata: { name, uid } }: StoredObject): StatusBody {
  const details = { name, ...(group === '' ? {} : { group }), kind: resource, uid }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}
