import { hostname } from 'node:os'
import type { ContainerRef, Permission } from '@holdfast/sdk'
import * as z from 'zod'

/** Where mongodump and mongorestore run. */
export type Where =
  | 'local'
  | {
      /** The container of the database, or any other that has the tools. */
      readonly container: string
      /** Its pod. Default: our own, whose containers share one network. */
      readonly pod?: string | undefined
      /** Its pod, by labels that match one. */
      readonly selector?: string | undefined
      /** Default: our own. */
      readonly namespace?: string | undefined
    }

/** Validates {@link Where}. */
export const whereSchema = z.union([
  z.literal('local'),
  z
    .strictObject({
      container: z.string().min(1),
      pod: z.string().min(1).optional(),
      selector: z.string().min(1).optional(),
      namespace: z.string().min(1).optional(),
    })
    .refine(({ pod, selector }) => pod === undefined || selector === undefined, {
      error: 'pod and selector contradict each other',
      path: ['selector'],
    }),
])

/** A place where programs run. */
export type Place =
  | { readonly kind: 'local' }
  | {
      readonly kind: 'container'
      readonly container: ContainerRef
      /** Whether `localhost` is the same there and here. */
      readonly sharesNetwork: boolean
    }

/** Finds a place. */
export function placeOf(where: Where = 'local'): Place {
  if (where === 'local') return { kind: 'local' }
  const { container, pod, selector, namespace } = where
  const ref = { container, ...(namespace !== undefined && { namespace }) }
  if (selector !== undefined) return { kind: 'container', container: { ...ref, selector }, sharesNetwork: false }
  const own = process.env['POD_NAME'] || hostname()
  return {
    kind: 'container',
    container: { ...ref, pod: pod ?? own },
    sharesNetwork: (pod === undefined || pod === own) && namespace === undefined,
  }
}

/** For people: after "mongodump can't be started". */
export function describePlace(place: Place): string {
  if (place.kind === 'local') return 'here'
  const { container } = place
  const pod = 'pod' in container ? container.pod : `the pod of ${container.selector}`
  return `in the container ${container.container} of ${container.namespace === undefined ? '' : `${container.namespace}/`}${pod}`
}

/** What running there needs from the Kubernetes API. */
export function permissionsOf(where: Where = 'local'): readonly Permission[] {
  if (where === 'local') return []
  const scope =
    where.namespace === undefined || where.namespace === process.env['POD_NAMESPACE'] ? 'namespace' : 'cluster'
  return [
    {
      apiGroup: '',
      resource: 'pods',
      verbs: where.selector === undefined ? ['get'] : ['get', 'list'],
      scope,
      why: 'the container that mongodump runs in is found, and seen to run',
    },
    {
      apiGroup: '',
      resource: 'pods/exec',
      // `get` beside `create`: older API servers ask for it when the connection is a WebSocket.
      verbs: ['create', 'get'],
      scope,
      why: 'mongodump runs in the container of the database',
    },
  ]
}
