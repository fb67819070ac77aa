import type { StoredObject } from './object-store.ts'
import { badRequest } from './status.ts'

interface Named {
  readonly name: string
}

function containersOf({ spec }: StoredObject, field: 'containers' | 'initContainers'): readonly string[] {
  const list = (spec as Readonly<Record<string, readonly Named[] | undefined>> | undefined)?.[field] ?? []
  return list.map(({ name }) => name)
}

/** Which container is meant. @throws StatusError 400 when the pod has no such container, or no name was given and there are several */
export function containerOf(pod: StoredObject, asked: string): string {
  const { name } = pod.metadata
  const plain = containersOf(pod, 'containers')
  const init = containersOf(pod, 'initContainers')
  if (asked !== '') {
    if (plain.includes(asked) || init.includes(asked)) return asked
    throw badRequest(`container ${asked} is not valid for pod ${name}`)
  }
  const [only] = plain
  if (only !== undefined && plain.length === 1) return only
  if (plain.length === 0) throw badRequest(`a container name must be specified for pod ${name}`)
  const all = [...init, ...plain].join(' ')
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${all}]`)
}

interface ContainerStatus extends Named {
  readonly state?: { readonly running?: unknown }
}

/** Whether a container runs. @throws StatusError 400 when the pod is on no node yet */
export function runs(pod: StoredObject, container: string): boolean {
  const { nodeName = '' } = (pod['spec'] ?? {}) as { readonly nodeName?: string }
  if (nodeName === '') throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  const { containerStatuses = [], initContainerStatuses = [] } = (pod['status'] ?? {}) as Readonly<
    Record<string, readonly ContainerStatus[]>
  >
  return [...containerStatuses, ...initContainerStatuses].some(
    ({ name, state }) => name === container && state?.running !== undefined,
  )
}
