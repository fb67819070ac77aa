import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errors } from '../errors.ts'
import type { Blueprint } from './blueprint.ts'
import { podMonitorPage } from './monitoring.ts'
import { accountPages } from './objects.ts'
import { inNamespace } from './in-namespace.ts'
import { sidecarPatch, type Workload } from './workload.ts'
import type { OutputFile } from './write-files.ts'
import { toYaml } from './yaml.ts'

/** Options of {@link kustomizeComponent}. */
export interface KustomizeOptions {
  readonly workload: Workload
  readonly readiness: boolean
  readonly monitoring: boolean
}

const sign = '# Made by holdfast generate kubernetes'

/** The files of a component that adds the sidecar to one workload of whatever kustomization includes it. */
export function kustomizeComponent(blueprint: Blueprint, options: KustomizeOptions): readonly OutputFile[] {
  const { configMaps, namespace } = blueprint
  const { workload, monitoring } = options
  const patch = sidecarPatch(blueprint, { ...options, native: true, namespace })
  const value = {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    resources: ['rbac.yaml', ...(monitoring ? ['pod-monitor.yaml'] : [])],
    ...(configMaps.length > 0 && {
      generatorOptions: { disableNameSuffixHash: true },
      configMapGenerator: configMaps.map(({ name, files }) => ({
        name,
        ...inNamespace(namespace),
        files: files.map((file) => `${file.name}=${name}/${file.name}`),
      })),
    }),
    patches: [{ path: 'sidecar.yaml' }],
  }
  const header = `${sign.slice(2)}: it adds the sidecar to the ${workload.kind} "${workload.name}".
Name this directory in the kustomization that has the ${workload.kind}:
  components: [this/directory]
Change the scripts here; make it anew when hooks come or go, or the configuration does.`
  const names = {
    at: ['generatorOptions'],
    text: 'Changed scripts count from the next run on: no reason to restart pods.',
  }
  const kustomization = toYaml([{ value, header, comments: configMaps.length > 0 ? [names] : [] }])
  return [
    { name: 'kustomization.yaml', content: kustomization },
    { name: 'rbac.yaml', content: toYaml(accountPages(blueprint)) },
    { name: 'sidecar.yaml', content: toYaml([patch]) },
    ...(monitoring ? [{ name: 'pod-monitor.yaml', content: toYaml([podMonitorPage(blueprint)]) }] : []),
    ...configMaps.flatMap(({ name, files }) =>
      files.map((file) => ({ name: `${name}/${file.name}`, content: file.bytes })),
    ),
  ]
}

/**
 * Makes sure that a directory holds nobody else's kustomization.
 *
 * @throws HoldfastError `GENERATE_OCCUPIED`
 */
export async function checkComponentDirectory(directory: string): Promise<void> {
  const path = join(directory, 'kustomization.yaml')
  const there = await readFile(path, 'utf8').catch(() => '')
  if (there !== '' && !there.startsWith(sign)) throw errors.GENERATE_OCCUPIED({ path })
}
