import { posix } from 'node:path'
import type { KubernetesObject } from '@holdfast/sdk'
import { expect } from 'vitest'
import { parseAllDocuments } from 'yaml'

/** The documents of a YAML file, which has to mean the same to readers of YAML 1.1 (Kubernetes') and of YAML 1.2. */
export function readYaml(text: string): readonly unknown[] {
  const [old, now] = (['1.1', '1.2'] as const).map((version) => {
    const documents = parseAllDocuments(text, { version, strict: true })
    return [...documents].map((document) => {
      expect([...document.errors, ...document.warnings]).toEqual([])
      return document.toJS() as unknown
    })
  })
  expect(old).toStrictEqual(now)
  return now ?? []
}

/** The documents of a YAML file of Kubernetes objects. */
export function readObjects(text: string): readonly KubernetesObject[] {
  return readYaml(text) as readonly KubernetesObject[]
}

/** A part of a pod, as far as files go. */
export interface PodFiles {
  readonly configMaps: readonly KubernetesObject[]
  readonly volumes: readonly {
    readonly name: string
    readonly configMap?: {
      readonly name: string
      readonly defaultMode: number
      readonly items: readonly { readonly key: string; readonly path: string; readonly mode?: number }[]
    }
  }[]
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
}

/** A file that a container sees. */
export interface MountedFile {
  readonly bytes: Buffer
  readonly mode: number
}

/** What a container would find, path by path, if the kubelet mounted these volumes. */
export function mountedFiles({ configMaps, volumes, volumeMounts }: PodFiles): Readonly<Record<string, MountedFile>> {
  const files = volumeMounts.flatMap(({ name, mountPath }) => {
    const volume = volumes.find((each) => each.name === name)
    expect(volume, `the volume ${name}`).toBeDefined()
    const source = volume?.configMap
    return (source?.items ?? []).map(({ key, path, mode = source?.defaultMode ?? 0 }) => {
      const configMap = configMaps.find(({ metadata }) => metadata.name === source?.name)
      const { data, binaryData } = (configMap ?? {}) as {
        data?: Record<string, string>
        binaryData?: Record<string, string>
      }
      const bytes =
        data && Object.hasOwn(data, key)
          ? Buffer.from(data[key] ?? '')
          : Buffer.from(binaryData?.[key] ?? 'missing', 'base64')
      return [posix.join(mountPath, path), { bytes, mode }] as const
    })
  })
  return Object.fromEntries(files)
}

/** A pod, as far as tests look. */
export interface Pod {
  readonly serviceAccountName?: string
  readonly terminationGracePeriodSeconds?: number
  readonly restartPolicy?: string
  readonly securityContext?: object
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly volumes: PodFiles['volumes'] & readonly Readonly<Record<string, unknown>>[]
}

/** A container, as far as tests look. */
export interface Container {
  readonly name: string
  readonly image: string
  readonly args?: readonly string[]
  readonly restartPolicy?: string
  readonly workingDir?: string
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[]
  readonly livenessProbe?: { readonly exec: { readonly command: readonly string[] } }
  readonly readinessProbe?: { readonly exec: { readonly command: readonly string[] } }
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]
}

interface Template {
  readonly metadata?: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> }
  readonly spec: Pod
}

/** A workload, or a part of one. */
export type Workload = KubernetesObject & { readonly spec: { readonly template: Template } }

/** What the API server makes of a Deployment and a patch: named things are added, the rest is replaced. */
export function patched(patch: Workload): Workload & { readonly spec: { readonly template: Required<Template> } } {
  const { template } = patch.spec
  // A part of a pod may have no containers of its own.
  const { containers, initContainers = [], volumes, ...rest }: Partial<Pod> = template.spec
  const labels = { app: 'shop' }
  const application = { name: 'app', image: 'shop:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] }
  const spec = {
    ...rest,
    initContainers,
    containers: [application as unknown as Container, ...(containers ?? [])],
    volumes: [{ name: 'data', emptyDir: {} }, ...(volumes ?? [])],
  }
  return {
    ...patch,
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { ...template.metadata, labels: { ...labels, ...template.metadata?.labels } }, spec },
    } as never,
  }
}
