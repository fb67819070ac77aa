import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import type { Access } from './access.ts'
import { createBadDays, type BadDay } from './bad-days.ts'
import { containerOf, runs } from './exec-containers.ts'
import { planOf, type ExecFault, type ExecMatch } from './exec-faults.ts'
import { openSession, type ExecSubject } from './exec-session.ts'
import type { FakeExecution } from './fake-execution.ts'
import type { Kinds } from './kinds.ts'
import type { ObjectStore } from './object-store.ts'
import type { Runtimes } from './runtimes.ts'
import { routeOf } from './route.ts'
import { badRequest, failureOf, notFound, type StatusBody } from './status.ts'

/** How long the end of processes is waited for, in ms. */
const endMs = 2000

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
  /** Kills what runs in a pod, or in one container of it, as the end of a container does. */
  killAll(namespace: string, pod: string, container?: string): void
  /** Kills everything, and waits until it is dead. */
  end(): Promise<void>
}

/** What the endpoint works on. */
export interface ExecParts {
  readonly kinds: Kinds
  readonly store: ObjectStore
  readonly runtimes: Runtimes
  readonly access: Access
  /** Since 1.35 an exec over a websocket needs the verb `create`, besides `get`. */
  readonly needsCreate: boolean
  /** Ends a connection without a word. */
  reset(socket: Socket): void
}

export function createExecEndpoint(parts: ExecParts): ExecEndpoint {
  const executions: FakeExecution[] = []
  const badDays = createBadDays<ExecMatch, readonly ExecFault[]>()
  const pods = parts.kinds.named('pods')

  const endpoint: ExecEndpoint = {
    executions,
    misbehave: (match, faults) => badDays.add(match, faults),
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
        executions.push(openSession(ws, socket, subject, plan, parts.reset))
      })
    },
    killAll(namespace, pod, container) {
      for (const each of executions) {
        const isMeant = each.namespace === namespace && each.pod === pod
        if (isMeant && (container === undefined || each.container === container)) each.kill()
      }
    },
    async end() {
      badDays.endAll()
      for (const each of executions) each.kill()
      // What can't be killed, such as a process that writes to a frozen file system, is not waited for.
      const isDead = ({ running, pid, exit }: FakeExecution): boolean =>
        !running && (pid === undefined || exit !== undefined)
      for (let waited = 0; waited < endMs && !executions.every(isDead); waited += 5) await delay(5)
    },
  }
  return endpoint
}

/** Answers an upgrade with a status, as JSON, or with plain text. */
export function refuse(socket: Socket, status: number, body: StatusBody | string): void {
  const retryAfter = typeof body === 'string' ? undefined : body.details?.retryAfterSeconds
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
