// Pods of a fake cluster: each an engine of its own, with a state directory that may be lost.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStorage, type FakeKubernetes } from '@holdfast/testing'
import type { HoldfastConfig, Plan } from '@holdfast/sdk'
import { onTestFinished } from 'vitest'
import { systemClock, type RuntimeClock } from '../../src/clock.ts'
import { createEngine, type Engine } from '../../src/engine.ts'
import { logOutput } from '../../src/exec/log-output.ts'
import type { ProcessRecord } from '../../src/journal/records.ts'
import { createApiClient } from '../../src/kubernetes/api-client.ts'
import { ownPod, type Cluster } from '../../src/kubernetes/cluster.ts'
import { createKubernetes } from '../../src/kubernetes/kubernetes.ts'
import type { RunEvent } from '../../src/lifecycle/events.ts'
import { loadConfig } from '../../src/load/load-config.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { createRedactor } from '../../src/telemetry/redaction.ts'

/** How a container of a pod starts. */
export interface StartOptions {
  readonly server: FakeKubernetes
  readonly use: Plan['use']
  /** Default `web-0`. */
  readonly pod?: string
  /** Default: that of the pod in the cluster, which is made. */
  readonly uid?: string
  /** The Deployment that keeps the pod. Default `web`. */
  readonly deployment?: string
  /** Default `holdfast`. */
  readonly container?: string
  /** Default: a new one, as on the container's own layer. */
  readonly stateDirectory?: string
  readonly clock?: RuntimeClock
  readonly config?: Partial<HoldfastConfig>
  readonly env?: NodeJS.ProcessEnv
  readonly process?: Partial<ProcessRecord>
}

/** A container that runs. */
export interface Started {
  readonly engine: Engine
  readonly metrics: Metrics
  readonly events: readonly RunEvent[]
  readonly log: readonly string[]
  readonly stateDirectory: string
  /** It ends, and leaves everything as it is. */
  end(): void
}

let containers = 0

/** Starts Holdfast in a container; another start is another container, whatever has the same name. */
export async function startContainer(options: StartOptions): Promise<Started> {
  const { server, use, pod = 'web-0', container = 'holdfast', clock = systemClock } = options
  const { namespace } = server
  const { uid = uidOf(server, pod, options) } = options
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-pod-'))
  const stateDirectory = options.stateDirectory ?? join(directory, 'state')
  const env = {
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    POD_NAME: pod,
    POD_NAMESPACE: namespace,
    POD_UID: uid,
    HOLDFAST_CONTAINER_NAME: container,
    ...options.env,
  }
  const cluster = clusterOf(server, env, clock)
  const log: string[] = []
  const events: RunEvent[] = []
  const redactor = createRedactor()
  const logger = createLogger({
    level: 'debug',
    format: 'json',
    redactor,
    destination: { write: (line) => log.push(line) },
  })
  const metrics = createMetrics()
  const { config } = await loadConfig({
    cwd: directory,
    etc: directory,
    env: {},
    environmentForm: () => ({ storage: memoryStorage(), ...options.config, plans: [{ name: 'shop', use }] }),
  })
  const engine = createEngine({
    config,
    stateDirectory,
    log: logger,
    redactor,
    metrics,
    clock,
    env,
    cluster,
    output: logOutput({ log: logger, clock }),
    events: (event) => events.push(event),
    // All of them are one process of this machine.
    process: { containerStart: `container ${++containers}`, ...options.process },
  })
  let ended = false
  const end = (): void => {
    if (!ended) engine.close()
    ended = true
    cluster.close()
  }
  onTestFinished(() => {
    end()
    rmSync(directory, { recursive: true, force: true })
  })
  return { engine, metrics, events, log, stateDirectory, end }
}

/** The pod in the cluster, which is made where it isn't there. */
function uidOf(
  server: FakeKubernetes,
  name: string,
  { container = 'holdfast', deployment = 'web' }: StartOptions,
): string {
  const there = server.objects.get('pods', server.namespace, name)
  if (there) return there.metadata.uid
  const pod = server.addPod({ name, labels: { 'pod-template-hash': '5d8f' }, containers: [{ name: container }] })
  const keeper = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${deployment}-5d8f`, uid: 'r', controller: true }
  server.objects.put({ ...pod, metadata: { ...pod.metadata, ownerReferences: [keeper] } as typeof pod.metadata })
  return pod.metadata.uid
}

/** A client of the fake server, as a pod with this environment has it. */
export function clusterOf(server: FakeKubernetes, env: NodeJS.ProcessEnv, clock: RuntimeClock): Cluster {
  const connection = {
    server: new URL(server.url),
    namespace: server.namespace,
    source: 'the service account',
    credentials: async () => ({ headers: { authorization: `Bearer ${server.token}` }, tls: {}, version: '1' }),
  }
  const api = createApiClient({ connection, clock, random: () => 1 })
  const pod = ownPod(env, server.namespace)
  const kubernetes = createKubernetes({ api, clock, reporter: pod?.name ?? 'test' })
  return { connection, api, kubernetes, pod, close: () => api.close() }
}

/** Lets real work go on until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let round = 0; !isSo(); round++) {
    if (round > 5000) throw new Error(`it never came about: ${isSo.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
