import { isHoldfastError, type ContainerRef, type HoldfastError } from '@holdfast/sdk'
import { errors } from '../../errors.ts'
import { reasonOf } from '../../failure.ts'
import { containerNames, containerState, defaultContainer, podProblem, type Pod } from './pod-state.ts'
import type { Place } from './protocol.ts'
import type { ExecCluster } from './services.ts'

/** Options of {@link locate}. */
export interface LocateOptions {
  readonly cluster: ExecCluster
  /** The program, for messages. */
  readonly command: string
  readonly signal: AbortSignal
}

interface PodPage {
  readonly items?: readonly Pod[]
  readonly metadata?: { readonly continue?: string }
}

/** How many pods one answer has at most. */
const pageSize = 500
/** How many pods a message names. */
const named = 10

/**
 * Finds a container and sees that it runs. An empty name is the container that the pod says is its default, or its only
 * one.
 *
 * @throws HoldfastError `EXEC_NO_POD`, `EXEC_MANY_PODS`, `EXEC_NO_CONTAINER`, `EXEC_NOT_RUNNING`, `EXEC_FORBIDDEN`,
 * `EXEC_UNAUTHORIZED`, `EXEC_UNREACHABLE`, or the signal's reason
 */
export async function locate(where: ContainerRef, options: LocateOptions): Promise<Place> {
  const { cluster, command } = options
  const namespace = where.namespace ?? cluster.connection.namespace
  const pod =
    'pod' in where ? await byName(where.pod, namespace, options) : await bySelector(where.selector, namespace, options)
  const { name } = pod.metadata
  const problem = podProblem(pod)
  if (problem !== undefined)
    throw errors.EXEC_NOT_RUNNING({ command, reason: `the pod ${namespace}/${name} ${problem}` })

  const known = containerNames(pod)
  const container = where.container || defaultContainer(pod)
  if (container === undefined || !known.includes(container)) {
    const asked = container === undefined ? 'no container was named' : `there is no container "${container}"`
    throw errors.EXEC_NO_CONTAINER({
      command,
      reason: `${asked}; the pod ${namespace}/${name} has ${known.map((each) => `"${each}"`).join(', ')}`,
    })
  }
  const state = containerState(pod, container)
  if ('problem' in state) {
    throw errors.EXEC_NOT_RUNNING({
      command,
      reason: `the container "${container}" of the pod ${namespace}/${name} ${state.problem}`,
    })
  }
  return { namespace, pod: name, container, containerId: state.id }
}

async function byName(name: string, namespace: string, options: LocateOptions): Promise<Pod> {
  const { command } = options
  if (name === '') throw errors.EXEC_NO_POD({ command, reason: 'no pod was named' })
  try {
    return await ask<Pod>(`${podsOf(namespace)}/${encodeURIComponent(name)}`, {}, options)
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'KUBERNETES_NOT_FOUND') throw error
    const reason = `there is no pod "${name}" in the namespace "${namespace}"`
    throw errors.EXEC_NO_POD({ command, reason }, { cause: error })
  }
}

async function bySelector(selector: string, namespace: string, options: LocateOptions): Promise<Pod> {
  const { command } = options
  if (selector === '') throw errors.EXEC_NO_POD({ command, reason: 'an empty selector means every pod' })
  const items = await allBySelector(selector, namespace, options)
  const running = items.filter((pod) => podProblem(pod) === undefined)
  const [only, ...more] = running
  if (only && more.length === 0) return only
  if (only)
    throw errors.EXEC_MANY_PODS({ command, selector, found: listOf(running.map(({ metadata }) => metadata.name)) })
  const others = listOf(items.map((pod) => `${pod.metadata.name} ${podProblem(pod)}`))
  const found = items.length === 0 ? 'nothing matches' : `what matches is not: ${others}`
  throw errors.EXEC_NO_POD({
    command,
    reason: `no running pod matches ${selector} in the namespace "${namespace}"; ${found}`,
  })
}

/** Also what is on later pages: the one that runs may stand behind the ended ones of a job. */
async function allBySelector(selector: string, namespace: string, options: LocateOptions): Promise<readonly Pod[]> {
  const all: Pod[] = []
  let next = ''
  do {
    const query = { labelSelector: selector, limit: pageSize, ...(next !== '' && { continue: next }) }
    const page: PodPage = await ask<PodPage>(podsOf(namespace), query, options)
    all.push(...(page.items ?? []))
    next = page.metadata?.continue ?? ''
  } while (next !== '')
  return all
}

function podsOf(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
}

async function ask<T>(path: string, query: Record<string, string | number>, options: LocateOptions): Promise<T> {
  const { cluster, signal } = options
  try {
    return await cluster.api.request<T>({ method: 'GET', path, query, signal })
  } catch (error) {
    signal.throwIfAborted()
    throw asExecError(error, options)
  }
}

/** In words of exec: nothing was run. */
function asExecError(error: unknown, { cluster, command }: LocateOptions): Error {
  const cause = error
  if (!isHoldfastError(error)) return errors.EXEC_UNREACHABLE({ command, reason: reasonOf(error) }, { cause })
  const { details, message } = error
  const text = (name: string): string => (typeof details[name] === 'string' ? details[name] : '')
  switch (error.code) {
    case 'KUBERNETES_NOT_FOUND':
      return error
    case 'KUBERNETES_NAME_INVALID':
      return errors.EXEC_NO_POD({ command, reason: message }, { cause })
    case 'KUBERNETES_FORBIDDEN':
      return errors.EXEC_FORBIDDEN(
        { command, verb: text('verb'), what: text('what'), rule: text('rule'), said: text('said') || message },
        { cause },
      )
    case 'KUBERNETES_UNAUTHORIZED':
      return errors.EXEC_UNAUTHORIZED({ command, source: cluster.connection.source }, { cause })
    default:
      return errors.EXEC_UNREACHABLE({ command, reason: message }, { cause }) satisfies HoldfastError
  }
}

function listOf(names: readonly string[]): string {
  const shown = names.slice(0, named).join(', ')
  return names.length > named ? `${shown} and ${names.length - named} more` : shown
}
