import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccess } from './access.ts'
import { serveApi } from './api.ts'
import { createBadDays, misbehave, type RequestFault, type RequestMatch } from './bad-days.ts'
import { selfSignedTls } from './certificate.ts'
import { createCredentials } from './credentials.ts'
import { createExecEndpoint, refuse } from './exec-endpoint.ts'
import type { FakeKubernetes, StartFakeKubernetesOptions } from './fake-kubernetes.ts'
import { createKinds, type FakeKind } from './kinds.ts'
import { createLists } from './lists.ts'
import { listen } from './listener.ts'
import { createObjectStore } from './object-store.ts'
import { addObjects } from './objects.ts'
import { createRuntimes, podObject } from './pods.ts'
import { readBody } from './read-body.ts'
import type { OpenRequest } from './requests.ts'
import { createResources } from './resources.ts'
import { routeOf } from './route.ts'
import { StatusError, badRequest, unauthorized } from './status.ts'

/**
 * Starts a fake Kubernetes API server on a free port of the loopback interface. Real clients and the real kubectl take it
 * for a cluster; what they execute in its pods runs as processes of this machine.
 *
 * @example
 * ```ts
 * await using server = await startFakeKubernetes()
 * server.addPod({ name: 'database-0', containers: [{ name: 'database' }] })
 * server.misbehaveExec({ pod: 'database-0', times: 1 }, { kind: 'reset', afterBytes: 1000 })
 * writeFileSync('kubeconfig', server.kubeconfig())
 * ```
 */
export async function startFakeKubernetes(options: StartFakeKubernetesOptions = {}): Promise<FakeKubernetes> {
  const { namespace = 'default', version = '1.34.4', now = () => new Date() } = options
  const tls = options.tls === true ? selfSignedTls() : options.tls
  const user = options.user ?? `system:serviceaccount:${namespace}:holdfast`
  const root = mkdtempSync(join(tmpdir(), 'fake-kubernetes-'))
  const kinds = createKinds(options.kinds)
  const pods = kinds.named('pods')
  const store = createObjectStore(now)
  const access = createAccess(user)
  const credentials = createCredentials(tls)
  const lists = createLists(store)
  const runtimes = createRuntimes(root)
  const needsCreate = Number(version.split('.')[1]) >= 35
  const exec = createExecEndpoint({ kinds, store, runtimes, access, needsCreate })
  const onRemoved = (kind: FakeKind, { metadata }: { metadata: { namespace?: string; name: string } }): void => {
    if (kind === pods) exec.killAll(metadata.namespace ?? '', metadata.name)
  }
  const resources = createResources(store, now, onRemoved)
  const parts = { kinds, store, lists, resources, access, version }
  const objects = addObjects(kinds, store, namespace, onRemoved)
  const badDays = createBadDays<RequestMatch, RequestFault>()
  const requests: OpenRequest[] = []
  for (const name of new Set(['default', 'kube-system', namespace])) objects.put(namespaceObject(name))

  const record = (request: IncomingMessage, url: URL): OpenRequest => {
    const { method = 'GET', headers } = request
    const route = routeOf(method, url)
    const open: OpenRequest = {
      method,
      path: url.pathname,
      query: Object.fromEntries(
        [...new Set(url.searchParams.keys())].map((key) => [key, url.searchParams.getAll(key)]),
      ),
      verb: route?.verb ?? '',
      apiGroup: route?.group ?? '',
      resource: [route?.resource ?? '', route?.subresource ?? ''].filter((each) => each !== '').join('/'),
      namespace: route?.namespace ?? '',
      name: route?.name ?? '',
      userAgent: headers['user-agent'] ?? '',
      body: undefined,
      connection: listener.connectionOf(request),
      status: undefined,
    }
    requests.push(open)
    return open
  }
  const trouble = ({ method, path }: OpenRequest): ReturnType<typeof badDays.next> =>
    badDays.next(
      (match) =>
        (match.method === undefined || match.method === method) && (match.path === undefined || match.path.test(path)),
    )
  const authenticate = (request: IncomingMessage, { path }: OpenRequest): void => {
    if (/^\/(healthz|livez|readyz|version)\b/.test(path)) return
    if (!credentials.accepts(request.headers.authorization)) throw unauthorized()
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', base())
    const open = record(request, url)
    response.once('finish', () => (open.status = response.statusCode))
    const raw = await readBody(request)
    open.body = raw.value
    const answer = (): { status: number; body: string; type: string } | undefined => {
      const { status, body } = attempt(() => {
        authenticate(request, open)
        if (/^\/(healthz|livez|readyz)\b/.test(url.pathname)) return { status: 200, body: 'ok' }
        if (raw.problem) throw raw.problem
        if (open.resource === 'pods/exec') {
          access.require({ ...(routeOf(open.method, url) as NonNullable<ReturnType<typeof routeOf>>) })
          exec.subjectOf(url)
          throw badRequest('Upgrade request required')
        }
        const contentType = request.headers['content-type'] ?? 'application/json'
        return serveApi(parts, { method: open.method, url, contentType, body: raw.value }, response)
      })
      if (status === 0) return undefined
      const isText = typeof body === 'string'
      return { status, body: isText ? body : JSON.stringify(body), type: isText ? 'text/plain' : 'application/json' }
    }
    const bad = trouble(open)
    if (bad) {
      await misbehave(bad, request, response, () => answer() ?? { status: 200, body: '' })
      return
    }
    const result = answer()
    if (!result) return
    response.writeHead(result.status, { 'content-type': result.type })
    response.end(result.body)
  }

  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const url = new URL(request.url ?? '/', base())
    const open = record(request, url)
    const bad = trouble(open)?.fault
    try {
      if (bad === 'reset') socket.resetAndDestroy()
      else if (bad === 'closes') socket.end()
      if (typeof bad === 'string') return
      if (bad) {
        open.status = bad.status
        refuse(socket, bad.status, new StatusError(bad.status, '', bad.message ?? '').body, bad.retryAfter)
        return
      }
      authenticate(request, open)
      if (open.resource !== 'pods/exec') throw badRequest('this can not be upgraded')
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        access.require({ ...(routeOf(open.method, url) as NonNullable<ReturnType<typeof routeOf>>) })
        exec.subjectOf(url)
        throw badRequest('the fake server speaks websockets only')
      }
      exec.upgrade(request, socket, head, url, (status) => (open.status = status))
    } catch (error) {
      const { status, body } = failed(error)
      open.status = status
      refuse(socket, status, body)
    }
  }

  const listener = await listen(tls, {
    request: (request, response) => void serve(request, response).catch(() => response.destroy()),
    upgrade,
  })
  const base = (): string => `${tls ? 'https' : 'http'}://127.0.0.1:${listener.port}`

  return {
    url: base(),
    namespace,
    requests,
    objects,
    authorize: access,
    execs: exec.executions,
    get token() {
      return credentials.token
    },
    get connections() {
      return listener.connections
    },
    rotateToken: ({ rewrite = true } = {}) => credentials.rotate({ rewrite }),
    kubeconfig: () => credentials.kubeconfig(base(), namespace),
    serviceAccount(directory) {
      credentials.serviceAccount(directory, namespace)
      return { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(listener.port) }
    },
    addPod(pod) {
      const where = pod.namespace ?? namespace
      for (const container of pod.containers) runtimes.set(where, pod.name, container)
      return objects.put(podObject(pod, where, now()))
    },
    misbehave: (match, how) => badDays.add(match, how),
    misbehaveExec: (match, how) => exec.misbehave(match, Array.isArray(how) ? how : [how]),
    expire() {
      lists.expire()
      store.compact()
    },
    down: () => listener.down(),
    up: () => listener.up(),
    async [Symbol.asyncDispose]() {
      badDays.endAll()
      exec.endBadDays()
      for (const each of exec.executions) each.kill()
      await listener.down()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** Status 0: the answer goes its own way. */
function attempt(work: () => { status: number; body: unknown } | undefined): { status: number; body: unknown } {
  try {
    return work() ?? { status: 0, body: undefined }
  } catch (error) {
    return failed(error)
  }
}

function failed(error: unknown): { status: number; body: unknown } {
  if (error instanceof StatusError) return { status: error.code, body: error.body }
  // A mistake of the fake's own: seen by the client, instead of ending the test's process.
  const { stack = '' } = error as Error
  return { status: 500, body: new StatusError(500, 'InternalError', `the fake server broke: ${stack}`).body }
}

function namespaceObject(name: string): Parameters<FakeKubernetes['objects']['put']>[0] {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } }
}
