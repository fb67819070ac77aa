import { randomUUID } from 'node:crypto'
import type { KubernetesObject } from '@holdfast/sdk'
import { groupVersionOf, type FakeKind } from './kinds.ts'

/** An object as the server keeps it. */
export interface StoredObject extends KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: StoredMetadata
}

/** What every stored object says of itself. */
export interface StoredMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly creationTimestamp: string
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** What happened to an object. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly kind: FakeKind
  readonly revision: number
  /** As it is now; of one that was deleted, as it was last. */
  readonly object: StoredObject
  readonly before: StoredObject | undefined
}

/** What the server stores: objects and their history. Checks nothing. */
export interface ObjectStore {
  /** The version of the whole. */
  readonly revision: number
  get(kind: FakeKind, namespace: string, name: string): StoredObject | undefined
  /** In the order of their keys. Namespace `''`: of all. */
  list(kind: FakeKind, namespace: string): readonly StoredObject[]
  /** Adds, or replaces: uid and time of creation stay. The same content again changes nothing. */
  put(kind: FakeKind, object: KubernetesObject): StoredObject
  remove(kind: FakeKind, namespace: string, name: string): StoredObject | undefined
  /** Changes after a revision; `undefined` when that is too long ago. */
  since(revision: number): readonly Change[] | undefined
  /** Forgets what happened so far. */
  compact(): void
  /** @returns ends it */
  subscribe(listener: (change: Change) => void): () => void
}

/** @param now - wall clock of the server */
export function createObjectStore(now: () => Date): ObjectStore {
  // Core events and those of events.k8s.io are the same objects.
  const objects = new Map<string, StoredObject>()
  const listeners = new Set<(change: Change) => void>()
  let history: Change[] = []
  let revision = 1000
  let compacted = 0

  const publish = (change: Change): void => {
    history.push(change)
    for (const listener of listeners) listener(change)
  }

  return {
    get revision() {
      return revision
    },
    get: (kind, namespace, name) => present(kind, objects.get(keyOf(kind, namespace, name))),
    list(kind, namespace) {
      const prefix = namespace === '' ? `${storageOf(kind)}/` : keyOf(kind, namespace, '')
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted()
      return keys.map((key) => present(kind, objects.get(key))).filter((each) => each !== undefined)
    },
    put(kind, given) {
      const { namespace, name } = given.metadata
      const key = keyOf(kind, namespace ?? '', name)
      const before = objects.get(key)
      const metadata = given.metadata as StoredMetadata
      const object: StoredObject = structuredClone({
        ...given,
        apiVersion: groupVersionOf(kind),
        kind: kind.kind,
        metadata: {
          ...metadata,
          uid: before?.metadata.uid ?? given.metadata.uid ?? randomUUID(),
          creationTimestamp: before?.metadata.creationTimestamp ?? toSeconds(now()),
          resourceVersion: before?.metadata.resourceVersion ?? '',
        },
      })
      if (before && JSON.stringify(sorted(before)) === JSON.stringify(sorted(object))) return object
      revision++
      const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
      objects.set(key, stored)
      publish({ type: before ? 'MODIFIED' : 'ADDED', kind, revision, object: stored, before })
      return stored
    },
    remove(kind, namespace, name) {
      const key = keyOf(kind, namespace, name)
      const before = objects.get(key)
      if (!before) return undefined
      objects.delete(key)
      revision++
      const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(revision) } }
      publish({ type: 'DELETED', kind, revision, object, before })
      return before
    },
    since: (from) => (from < compacted ? undefined : history.filter((change) => change.revision > from)),
    compact() {
      compacted = ++revision
      history = []
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Whether two kinds are two views of the same objects. */
export function sameStorage(a: FakeKind, b: FakeKind): boolean {
  return storageOf(a) === storageOf(b)
}

function storageOf({ group, resource }: FakeKind): string {
  return resource === 'events' ? 'events' : `${resource}.${group}`
}

function keyOf(kind: FakeKind, namespace: string, name: string): string {
  return `${storageOf(kind)}/${kind.namespaced ? `${namespace}/` : ''}${name}`
}

function present(kind: FakeKind, object: StoredObject | undefined): StoredObject | undefined {
  return object && { ...object, apiVersion: groupVersionOf(kind) }
}

/** The server's times have no fractions. */
export function toSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  )
}
