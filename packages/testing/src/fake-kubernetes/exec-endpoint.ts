import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import type { Access } from './access.ts'
import { createBadDays, type BadDay } from './bad-days.ts'
import { planOf, type ExecFault, type ExecMatch } from './exec-faults.ts'
import { openSession, type ExecSubject, type FakeExecution } from './exec-session.ts'
import type { Kinds } from './kinds.ts'
import type { ObjectStore, StoredObject } from './object-store.ts'
import type { Runtimes } from './pods.ts'
import { routeOf } from './route.ts'
import { StatusError, badRequest, failureOf, notFound } from './status.ts'

/** What runs commands in pods. */
export interface ExecEndpoint {
  readonly executions: readonly FakeExecution[]
  misbehave(match: ExecMatch, faults: readonly ExecFault[]): BadDay
  /**
   * Answers an upgrade.
   *
   * @param answered - is told the HTTP status
   * @throws StatusError when there is nothing to run
   */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, url: URL, answered: (status: number) => void): void
  /** What would be run. @throws StatusError */
  subjectOf(url: URL): ExecSubject
  /** Kills what runs in a pod, or in one container of it. */
  killAll(namespace: string, pod: string, container?: string): void
  endBadDays(): void
}

/** What the endpoint works on. */
export interface ExecParts {
  readonly kinds: Kinds
  readonly store: ObjectStore
  readonly runtimes: Runtimes
  readonly access: Access
  /** Since 1.35 an exec over a websocket needs the verb `create`, besides `get`. */
  readonly needsCreate: boolean
}

export function createExecEndpoint(parts: ExecParts): ExecEndpoint {
  const executions: FakeExecution[] = []
  const badDays = createBadDays<ExecMatch, readonly ExecFault[]>()
  const pods = parts.kinds.named('pods')

  const endpoint: ExecEndpoint = {
    executions,
    misbehave: (match, faults) => badDays.add(match, faults),
    endBadDays: () => badDays.endAll(),
    subjectOf(url) {
      const route = routeOf('GET', url)
      const { namespace = '', name = '' } = route ?? {}
      const pod = parts.store.get(pods, namespace, name)
      if (!pod) throw notFound(pods, name)
      const query = url.searchParams
      const container = containerOf(pod, query.get('container') ?? '')
      const asked = (stream: string): boolean => ['1', 'true'].includes(query.get(stream) ?? '')
      const argv = query.getAll('command')
      if (asked('tty')) throw badRequest('the fake server has no terminals')
      return {
        pod: name,
        namespace,
        container,
        argv,
        hostname: name,
        runtime: parts.runtimes.get(namespace, name, container),
        refusal: !(asked('stdin') || asked('stdout') || asked('stderr'))
          ? { status: 400, message: 'you must specify at least 1 of stdin, stdout, stderr' }
          : runs(pod, container)
            ? undefined
            : { status: 500, message: `container not found ("${container}")` },
        stdin: asked('stdin'),
        stdout: asked('stdout'),
        stderr: asked('stderr'),
      }
    },
    upgrade(request, socket, head, url, answered) {
      const route = routeOf('GET', url)
      if (!route) throw badRequest('no such path')
      parts.access.require(route)
      if (parts.needsCreate) parts.access.require({ ...route, verb: 'create' })
      const program = url.searchParams.get('command') ?? ''
      const container = url.searchParams.get('container') ?? ''
      const trouble = badDays.next(
        (match) =>
          (match.pod === undefined || match.pod === route.name) &&
          (match.container === undefined || match.container === container) &&
          (match.program === undefined || match.program === program),
      )
      const plan = planOf(trouble?.fault ?? [])
      if (!plan.opens) return
      if (plan.refusal) throw failureOf(plan.refusal.status, plan.refusal)
      const subject = endpoint.subjectOf(url)
      const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim())
      const protocol = plan.protocols.find((each) => offered.includes(each))
      if (protocol === undefined) {
        refuse(socket, 403, '')
        answered(403)
        return
      }
      // Without v5 it is the kubelet itself that answers, as it likes to.
      if (subject.refusal && protocol.startsWith('v4.')) {
        refuse(socket, subject.refusal.status, subject.refusal.message)
        answered(subject.refusal.status)
        return
      }
      const server = new WebSocketServer({
        noServer: true,
        perMessageDeflate: false,
        maxPayload: 0,
        handleProtocols: () => protocol,
      })
      server.handleUpgrade(request, socket, head, (ws) => {
        answered(101)
        executions.push(openSession(ws, socket, subject, plan))
      })
    },
    killAll(namespace, pod, container) {
      for (const each of executions) {
        const isMeant = each.namespace === namespace && each.pod === pod
        if (isMeant && (container === undefined || each.container === container)) each.kill()
      }
    },
  }
  return endpoint
}

/** Answers an upgrade with a status, as JSON, or with plain text. */
export function refuse(socket: Socket, status: number, body: unknown, retryAfter?: number): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json'}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`)
}

interface Named {
  readonly name: string
}

function containersOf({ spec }: StoredObject, field: 'containers' | 'initContainers'): readonly string[] {
  const list = (spec as Readonly<Record<string, readonly Named[] | undefined>> | undefined)?.[field] ?? []
  return list.map(({ name }) => name)
}

/** @throws StatusError 400 when the pod has no such container, or no name was given and there are several */
function containerOf(pod: StoredObject, asked: string): string {
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

/** @throws StatusError 400 when the pod is on no node yet */
function runs(pod: StoredObject, container: string): boolean {
  const { nodeName = '' } = (pod['spec'] ?? {}) as { readonly nodeName?: string }
  if (nodeName === '')
    throw new StatusError(400, 'BadRequest', `pod ${pod.metadata.name} does not have a host assigned`)
  const { containerStatuses = [], initContainerStatuses = [] } = (pod['status'] ?? {}) as Readonly<
    Record<string, readonly ContainerStatus[]>
  >
  return [...containerStatuses, ...initContainerStatuses].some(
    ({ name, state }) => name === container && state?.running !== undefined,
  )
}
