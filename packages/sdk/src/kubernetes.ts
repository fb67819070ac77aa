import type { ObjectRef } from './run.ts'

/** An object of the Kubernetes API. */
export interface KubernetesObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

/**
 * The Kubernetes API: paged, with deadlines, on one shared client. `type` as kubectl says it:
 * `'persistentvolumeclaims'`, `'leases.coordination.k8s.io'`.
 */
export interface Kubernetes {
  /** Our own namespace. */
  readonly namespace: string
  list<T extends KubernetesObject = KubernetesObject>(
    type: string,
    options?: {
      namespace?: string | undefined
      labelSelector?: string | undefined
      fieldSelector?: string | undefined
    },
  ): AsyncIterable<T>
  /** `undefined` when there is none. */
  get<T extends KubernetesObject = KubernetesObject>(
    type: string,
    name: string,
    options?: { namespace?: string | undefined },
  ): Promise<T | undefined>
  create<T extends KubernetesObject>(type: string, body: T): Promise<T>
  delete(type: string, name: string, options?: { namespace?: string | undefined }): Promise<void>
  event(
    about: ObjectRef,
    event: { type: 'Normal' | 'Warning'; reason: string; message: string; labels?: Record<string, string> | undefined },
  ): Promise<void>
}

/** What is needed from the API; the Role and the start-up self-check are generated from it. */
export interface Permission {
  readonly apiGroup: string
  readonly resource: string
  readonly verbs: readonly string[]
  readonly scope: 'namespace' | 'cluster'
  readonly why: string
}
