import { randomUUID } from 'node:crypto'
import type { Kubernetes, KubernetesObject, ObjectRef } from '@holdfast/sdk'

type EventInput = Parameters<Kubernetes['event']>[1]

/** The API server refuses longer ones. */
const longest = { message: 1024, reason: 128 }

/** An Event of the core API, which every tool shows. */
export function eventBody(
  about: ObjectRef,
  { type, reason, message, labels }: EventInput,
  by: { readonly now: Date; readonly reporter: string; readonly namespace: string },
): KubernetesObject & { readonly metadata: { readonly namespace: string } } {
  const at = by.now.toISOString().replace(/\.\d+Z$/, 'Z')
  // An event is in its object's namespace; those of objects without one are in `default`.
  const namespace = about.namespace ?? 'default'
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${about.name.slice(0, 200)}.${randomUUID().slice(0, 13)}`,
      namespace,
      ...(labels && { labels }),
    },
    involvedObject: { ...about },
    type,
    reason: reason.slice(0, longest.reason),
    message: message.length > longest.message ? `${message.slice(0, longest.message - 1).toWellFormed()}…` : message,
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    source: { component: 'holdfast', host: by.reporter },
    reportingComponent: 'holdfast',
    reportingInstance: by.reporter,
  }
}
