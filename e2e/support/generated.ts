// What our generators print, in the cluster: applied as it was printed, beside what only the kit's cluster needs.
import { parseAllDocuments } from 'yaml'
import { kubectl } from './kubectl.ts'
import { images, reachesApi } from './namespace.ts'

/** An object, as far as tests look. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec?: {
    readonly replicas?: number
    readonly template?: {
      readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
      readonly spec: PodSpec
    }
  }
  readonly rules?: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[]
}

/** A pod to be, or a part of one. */
export interface PodSpec {
  readonly containers?: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly volumes?: readonly { readonly name: string; readonly [field: string]: unknown }[]
  readonly [field: string]: unknown
}

/** A container, as far as tests look. */
export interface Container {
  readonly name: string
  readonly env?: readonly object[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
  readonly [field: string]: unknown
}

/** The documents of a file. */
export function readManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest)
}

/** The last document of a file, and those before it, as they were printed. */
export function splitLast(text: string): readonly [string, string] {
  const at = text.lastIndexOf('\n---\n') + 1
  return [text.slice(0, at), text.slice(at + '---\n'.length)]
}

/** Pods of this cluster share the host's ports, and reach the API in one way only. */
export const kitsEnvironment = [...reachesApi.env, { name: 'HOLDFAST_LISTEN', value: '0' }]

/** What the kit's cluster needs of a pod with our container. */
export function kitsPart(name: string, containers: 'containers' | 'initContainers'): PodSpec {
  return { hostNetwork: reachesApi.hostNetwork, [containers]: [{ name, env: kitsEnvironment }] }
}

/** Adds to an object under a manager of the kit's own: what was generated stays as it is. */
export async function addForKit(object: object): Promise<void> {
  await kubectl(['apply', '--server-side', '--field-manager=kit', '-f', '-'], { input: JSON.stringify(object) })
}

/** Applies a file as it was printed: on trial first, then for real. */
export async function applyText(text: string, how: readonly string[] = []): Promise<void> {
  for (const dry of [['--dry-run=server'], []]) await kubectl(['apply', ...dry, ...how, '-f', '-'], { input: text })
}

/** How the manual says that something is added to a workload. */
export const asPart = ['--server-side', '--field-manager=holdfast', '--force-conflicts'] as const

/** An application without Holdfast, and without a pod until it is scaled. */
export function applicationOf(kind: 'Deployment' | 'StatefulSet', name: string, namespace?: string): Manifest {
  const labels = { app: name }
  const spec = {
    replicas: 0,
    ...(kind === 'StatefulSet' && { serviceName: name }),
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        hostNetwork: reachesApi.hostNetwork,
        containers: [
          {
            name: 'app',
            image: images.busybox,
            command: ['/bin/sh', '-c', 'echo "rows of the shop" >/data/rows; exec sleep 600'],
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
        volumes: [{ name: 'data', emptyDir: {} }],
      },
    },
  }
  return { apiVersion: 'apps/v1', kind, metadata: { name, ...(namespace !== undefined && { namespace }) }, spec }
}
