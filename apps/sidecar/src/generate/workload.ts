import { errors } from '../errors.ts'
import type { Blueprint } from './blueprint.ts'
import { commentsAt, containerOf, volumesOf } from './pod.ts'
import { monitoringLabels, scrapeAnnotations } from './monitoring.ts'
import { isLabel } from './names.ts'
import type { YamlPage } from './yaml.ts'

/** What the sidecar is added to. */
export interface Workload {
  readonly kind: string
  readonly name: string
}

const kinds: Readonly<Record<string, string>> = {
  deployment: 'Deployment',
  statefulset: 'StatefulSet',
  daemonset: 'DaemonSet',
}

/**
 * Reads `deployment/shop`.
 *
 * @throws HoldfastError `OPTION_INVALID`
 */
export function parseWorkload(text: string): Workload {
  const [, word = '', name = ''] = /^([a-z]+)\/(.+)$/i.exec(text) ?? []
  const kind = kinds[word.toLowerCase()]
  const parts = name.split('.')
  if (kind !== undefined && parts.every(isLabel) && name.length <= 253) return { kind, name }
  const allowed = 'deployment/NAME, statefulset/NAME or daemonset/NAME'
  throw errors.OPTION_INVALID({ option: '--workload', value: text, allowed })
}

/** Options of {@link sidecarPatch}. */
export interface SidecarPatchOptions {
  readonly workload: Workload
  /** An init container that goes on, or a plain container. */
  readonly native: boolean
  readonly readiness: boolean
  readonly monitoring: boolean
  /** `undefined`: none is named, so that a kustomization's own counts. */
  readonly namespace: string | undefined
  readonly header?: string | undefined
}

/**
 * The part of a workload that is ours. It is a patch for kubectl and for kustomize, and an object that a server-side
 * apply adds to what is there.
 */
export function sidecarPatch(blueprint: Blueprint, options: SidecarPatchOptions): YamlPage {
  const { account, graceSeconds, options: global } = blueprint
  const { workload, native, readiness, monitoring, namespace, header } = options
  const container = containerOf(blueprint, { args: ['holdfast', 'daemon', ...global], native, probes: { readiness } })
  const volumes = volumesOf(blueprint)
  const containers = native ? 'initContainers' : 'containers'
  const value = {
    apiVersion: 'apps/v1',
    kind: workload.kind,
    metadata: { name: workload.name, ...(namespace !== undefined && { namespace }) },
    spec: {
      template: {
        ...(monitoring && {
          metadata: { labels: monitoringLabels(blueprint), annotations: scrapeAnnotations(blueprint) },
        }),
        spec: {
          ...(account.isMade && { serviceAccountName: account.name }),
          terminationGracePeriodSeconds: graceSeconds,
          [containers]: [container.value],
          volumes: volumes.value,
        },
      },
    },
  }
  const spec = ['spec', 'template', 'spec']
  const grace = 'Five seconds more than HOLDFAST_SHUTDOWN_GRACE: time to end after everything was given back.'
  return {
    value,
    header,
    comments: [
      { at: [...spec, 'terminationGracePeriodSeconds'], text: grace },
      ...commentsAt([...spec, containers, 0], container),
      ...commentsAt([...spec, 'volumes'], volumes),
    ],
  }
}
