/** A pod, as far as it matters for running commands in it. */
export interface Pod {
  readonly metadata: {
    readonly name: string
    readonly deletionTimestamp?: string | undefined
    readonly annotations?: Readonly<Record<string, string>> | undefined
  }
  readonly spec?: {
    readonly containers?: readonly { readonly name: string }[] | undefined
    readonly initContainers?: readonly { readonly name: string }[] | undefined
    readonly ephemeralContainers?: readonly { readonly name: string }[] | undefined
  }
  readonly status?: {
    readonly phase?: string | undefined
    readonly reason?: string | undefined
    readonly containerStatuses?: readonly ContainerStatus[] | undefined
    readonly initContainerStatuses?: readonly ContainerStatus[] | undefined
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[] | undefined
  }
}

interface ContainerStatus {
  readonly name: string
  readonly containerID?: string | undefined
  readonly restartCount?: number | undefined
  readonly state?: {
    readonly running?: object | undefined
    readonly waiting?: { readonly reason?: string | undefined; readonly message?: string | undefined } | undefined
    readonly terminated?: { readonly reason?: string | undefined; readonly exitCode?: number | undefined } | undefined
  }
}

/** @returns why nothing can be run in the pod; `undefined` when something can */
export function podProblem({ metadata, status }: Pod): string | undefined {
  const phase = status?.phase ?? 'Unknown'
  if (phase === 'Succeeded') return 'has completed'
  if (phase === 'Failed') return `has failed${status?.reason === undefined ? '' : ` (${status.reason})`}`
  if (metadata.deletionTimestamp !== undefined) return 'is terminating'
  if (phase !== 'Running') return `is ${phase.toLowerCase()}`
  return undefined
}

/** @returns why nothing can be run in the container, or its id */
export function containerState(
  pod: Pod,
  name: string,
): { readonly problem: string } | { readonly id: string | undefined } {
  const { status } = pod
  const found = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find((each) => each.name === name)
  if (!found?.state) return { problem: 'has not been started yet' }
  const { running, waiting, terminated } = found.state
  if (running) return { id: found.containerID }
  if (terminated) {
    const { reason, exitCode } = terminated
    return { problem: `has ended${reason === undefined ? '' : ` (${reason})`} with exit code ${exitCode ?? 'unknown'}` }
  }
  const restarts = found.restartCount ?? 0
  const why = waiting?.reason === undefined ? '' : ` (${waiting.reason})`
  return { problem: restarts > 0 ? `is restarting${why}, for the ${restarts + 1}. time` : `is waiting${why}` }
}

/** The names of all containers that commands can be run in. */
export function containerNames({ spec }: Pod): readonly string[] {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])].map(
    ({ name }) => name,
  )
}

/** The container that is meant where none is named: what the pod says, or the only one. */
export function defaultContainer({ metadata, spec }: Pod): string | undefined {
  const said = metadata.annotations?.['kubectl.kubernetes.io/default-container']
  if (said !== undefined && said !== '') return said
  const [only, ...more] = spec?.containers ?? []
  return more.length === 0 ? only?.name : undefined
}
