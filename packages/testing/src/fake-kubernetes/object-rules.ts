// The rules by which a server takes an object, or doesn't.
import { randomInt } from 'node:crypto'
import type { KubernetesObject } from '@holdfast/sdk'
import type { FakeKind } from './kinds.ts'
import type { StoredMetadata, StoredObject } from './object-store.ts'
import { badRequest, conflict, invalid, type StatusBody, type StatusError } from './status.ts'

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

/**
 * The body as an object of the path's kind and namespace.
 *
 * @throws StatusError 400 when it is something else
 */
export function readObject({ kind, namespace }: Place, body: unknown): KubernetesObject {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind})`)
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

/** What a server decides itself when an object is made. */
export function asNew(object: KubernetesObject, name: string): KubernetesObject {
  return withMetadata(object, {
    name,
    uid: undefined,
    creationTimestamp: undefined,
    deletionTimestamp: undefined,
    resourceVersion: undefined,
  })
}

/** With some of its metadata changed; `undefined` takes a field away. */
export function withMetadata(
  object: KubernetesObject,
  metadata: Partial<Record<keyof StoredMetadata, unknown>>,
): KubernetesObject {
  const merged = Object.entries({ ...object.metadata, ...metadata }).filter(([, value]) => value !== undefined)
  return { ...object, metadata: Object.fromEntries(merged) as unknown as KubernetesObject['metadata'] }
}

/** @throws StatusError 422 */
export function requireName({ kind }: Place, { metadata: { name } }: KubernetesObject): void {
  if (name !== '') return
  const message = 'Required value: name or generateName is required'
  throw invalid(kind, '', [{ field: 'metadata.name', reason: 'FieldValueRequired', message }])
}

/** @throws StatusError 400 */
export function requireSameName({ name }: Place, { metadata }: KubernetesObject): void {
  if (metadata.name === name) return
  throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
}

/** Some kinds are only replaced by those who say which version. */
export function needsVersion({ kind: { group, resource }, name }: Place): StatusError {
  const message = 'Invalid value: 0: must be specified for an update'
  const problem = { field: 'metadata.resourceVersion', reason: 'FieldValueInvalid', message } as const
  return invalid({ group, kind: resource }, name, [problem])
}

/** It is another one than the client means. */
export function otherUid({ kind, namespace, name }: Place, asked: string, is: string): StatusError {
  const key = ['/registry', kind.resource, ...(kind.namespaced ? [namespace] : []), name].join('/')
  const why = `Precondition failed: UID in precondition: ${asked}, UID in object meta: ${is}`
  return conflict(
    kind,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
  )
}

/** A prefix and five letters, as a real server makes them. */
export function generatedName(prefix: string): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789'
  return prefix.slice(0, 58) + Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('')
}

/** @throws StatusError 409 when the object is not the one that is to be deleted */
export function checkPreconditions({ kind, name }: Place, { metadata }: StoredObject, options: unknown): void {
  const { preconditions = {} } = (options ?? {}) as {
    readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  }
  const differs = (what: string, asked: string | undefined, is: string, then: string): void => {
    if (asked === undefined || asked === is) return
    const why = `the ${what} in the precondition (${asked}) does not match the ${what} in record (${is}). The object might have been ${then}`
    throw conflict({ group: kind.group, resource: kind.kind }, name, why)
  }
  differs('UID', preconditions.uid, metadata.uid, 'deleted and then recreated')
  differs('ResourceVersion', preconditions.resourceVersion, metadata.resourceVersion, 'modified')
}

/** What is said of an object that is gone. */
export function deleted({ kind: { group, resource } }: Place, { metadata: { name, uid } }: StoredObject): StatusBody {
  const details = { name, ...(group === '' ? {} : { group }), kind: resource, uid }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}
