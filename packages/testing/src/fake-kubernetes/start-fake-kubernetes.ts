import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccess } from './access.ts'
import { createBadDays, type RequestFault, type RequestMatch } from './bad-days.ts'
import { selfSignedTls } from './certificate.ts'
import { createCredentials } from './credentials.ts'
import { createExecEndpoint } from './exec-endpoint.ts'
import type { FakeKubernetes, StartFakeKubernetesOptions } from './fake-kubernetes.ts'
import { createKinds, type FakeKind } from './kinds.ts'
import { listen } from './listener.ts'
import { createLists } from './lists.ts'
import { createObjectStore, type StoredObject } from './object-store.ts'
import { addObjects } from './objects.ts'
import { podObject, restarted } from './pods.ts'
import type { OpenRequest } from './requests.ts'
import { createResources } from './resources.ts'
import { createRuntimes } from './runtimes.ts'
import { serveRequests } from './serve-requests.ts'

/**
 * Starts a fake Kubernetes API server on a free port of the loopback interface. Real clients and the real kubectl take it
 * for a cluster: it answers as a kube-apiserver 1.34 does, word for word where it refuses. What they execute in its pods
 * runs as processes of this machine, in a directory that stands for the container.
 *
 * No controllers run, quotas and most validation are left out, and server-side apply has no owners of fields.
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 *
 * await using server = await startFakeKubernetes()
 * server.addPod({ name: 'database-0', containers: [{ name: 'database' }] })
 * server.misbehaveExec({ pod: 'database-0', times: 1 }, { kind: 'reset', afterBytes: 1000 })
 * await writeFile('kubeconfig', server.kubeconfig())
 * ```
 */
export async function startFakeKubernetes(options: StartFakeKubernetesOptions = {}): Promise<FakeKubernetes> {
  const { namespace = 'default', version = '1.34.4', now = () => new Date() } = options
  const tls = options.tls === true ? selfSignedTls() : options.tls
  const root = mkdtempSync(join(tmpdir(), 'fake-kubernetes-'))
  const kinds = createKinds(options.kinds)
  const pods = kinds.named('pods')
  const store = createObjectStore(now)
  const lists = createLists(store)
  const runtimes = createRuntimes(root)
  const access = createAccess(options.user ?? `system:serviceaccount:${namespace}:holdfast`)
  const credentials = createCredentials(tls)
  const badDays = createBadDays<RequestMatch, RequestFault>()
  const requests: OpenRequest[] = []
  const listener = await listen(tls)
  const { port, reset } = listener
  const exec = createExecEndpoint({
    kinds,
    store,
    runtimes,
    access,
    needsCreate: Number(version.split('.')[1]) >= 35,
    reset,
  })
  const onRemoved = (kind: FakeKind, { metadata }: StoredObject): void => {
    if (kind === pods) exec.killAll(metadata.namespace ?? '', metadata.name)
  }
  const resources = createResources(store, now, onRemoved)
  const objects = addObjects(kinds, store, namespace, onRemoved)
  for (const name of new Set(['default', 'kube-system', namespace])) {
    objects.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } })
  }
  const api = { kinds, store, lists, resources, access, version }
  listener.serve(serveRequests({ api, exec, credentials, badDays, requests, listener }))
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`

  return {
    url,
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
    kubeconfig: () => credentials.kubeconfig(url, namespace),
    serviceAccount(directory) {
      credentials.serviceAccount(directory, namespace)
      return { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port) }
    },
    addPod(pod) {
      const where = pod.namespace ?? namespace
      for (const container of pod.containers) runtimes.set(where, pod.name, container)
      return objects.put(podObject(pod, where, now()))
    },
    restartContainer(name, container, where = namespace) {
      const pod = store.get(pods, where, name)
      if (!pod) throw new TypeError(`there is no pod ${name} in the namespace ${where}`)
      const next = restarted(pod, container, now())
      exec.killAll(where, name, container)
      return store.put(pods, next)
    },
    misbehave: (match, how) => badDays.add(match, how),
    misbehaveExec: (match, how) => exec.misbehave(match, Array.isArray(how) ? how : [how]),
    expire() {
      lists.expire()
      store.compact()
    },
    down: listener.down,
    up: listener.up,
    async [Symbol.asyncDispose]() {
      badDays.endAll()
      await exec.end()
      await listener.down()
      rmSync(root, { recursive: true, force: true })
    },
  }
}
