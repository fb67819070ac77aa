import { randomUUID } from 'node:crypto'
import type { KubernetesObject } from '@holdfast/sdk'
import { toSeconds, type StoredObject } from './object-store.ts'

/** A container of a {@link FakePod}. */
export interface FakeContainer {
  readonly name: string
  /** `restarting` is a crash loop: waiting, with what it ended with last. Default: `running`. */
  readonly state?: 'running' | 'waiting' | 'terminated' | 'restarting' | undefined
  /** Default: whether it runs. */
  readonly ready?: boolean | undefined
  /** Working directory of what is executed in it. Default: one of its own, empty, gone with the server. */
  readonly directory?: string | undefined
  /** Environment of what is executed in it, besides PATH and HOSTNAME. Nothing else of this process's is seen. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Without one, `sh`, `bash` and the like are not found. Default: true. */
  readonly shell?: boolean | undefined
  /** A sidecar among the init containers, with `restartPolicy: Always`. Default: false. */
  readonly sidecar?: boolean | undefined
  /** How a terminated or restarting one ended. Default: 0 and 1. */
  readonly exitCode?: number | undefined
  /** Default: 0, and 3 for a restarting one. */
  readonly restarts?: number | undefined
}

/** A pod, for `addPod`. */
export interface FakePod {
  readonly name: string
  /** Default: the server's. It is made when it isn't there. */
  readonly namespace?: string | undefined
  /** Default: a random one. */
  readonly uid?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /** Default: what the containers' states say. */
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown' | undefined
  /** Default: `node-1`; `''` for one that is not scheduled. */
  readonly node?: string | undefined
  readonly containers: readonly FakeContainer[]
  /** More of its specification, such as volumes. */
  readonly spec?: Readonly<Record<string, unknown>> | undefined
}

/** The object of a pod. */
export function podObject(pod: FakePod, namespace: string, now: Date): KubernetesObject {
  const { name, uid = randomUUID(), labels = {}, annotations, containers, node = 'node-1', spec = {} } = pod
  const startedAt = toSeconds(now)
  const phase = pod.phase ?? phaseOf(containers)
  const ready = phase === 'Running' && containers.every(isReady)
  const plain = containers.filter((each) => each.sidecar !== true)
  const sidecars = containers.filter((each) => each.sidecar === true)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid, labels, ...(annotations ? { annotations } : {}) },
    spec: {
      ...spec,
      ...(node === '' ? {} : { nodeName: node }),
      containers: plain.map((each) => ({ name: each.name, image: imageOf(each) })),
      ...(sidecars.length === 0
        ? {}
        : {
            initContainers: sidecars.map((each) => ({
              name: each.name,
              image: imageOf(each),
              restartPolicy: 'Always',
            })),
          }),
    },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      podIP: '10.0.0.1',
      startTime: startedAt,
      containerStatuses: plain.map((each) => statusOf(each, phase, startedAt)),
      ...(sidecars.length === 0
        ? {}
        : { initContainerStatuses: sidecars.map((each) => statusOf(each, phase, startedAt)) }),
    },
  }
}

interface ContainerStatus {
  readonly name: string
  readonly restartCount?: number
}

/**
 * A pod with one of its containers started anew.
 *
 * @throws TypeError when it has none of that name
 */
export function restarted(pod: StoredObject, container: string, now: Date): StoredObject {
  const startedAt = toSeconds(now)
  const status = (pod['status'] ?? {}) as Readonly<Record<string, unknown>>
  let isFound = false
  const fields = ['containerStatuses', 'initContainerStatuses'].map((field) => {
    const list = (status[field] ?? []) as readonly ContainerStatus[]
    const next = list.map((each) => {
      if (each.name !== container) return each
      isFound = true
      const killed = { exitCode: 137, reason: 'Error', finishedAt: startedAt }
      return {
        ...each,
        containerID: newContainerId(),
        ready: true,
        started: true,
        restartCount: (each.restartCount ?? 0) + 1,
        state: { running: { startedAt } },
        lastState: { terminated: killed },
      }
    })
    return [field, next] as const
  })
  if (!isFound) throw new TypeError(`the pod ${pod.metadata.name} has no container ${container}`)
  return { ...pod, status: { ...status, ...Object.fromEntries(fields) } }
}

function newContainerId(): string {
  return `containerd://${randomUUID().replaceAll('-', '')}`
}

function phaseOf(containers: readonly FakeContainer[]): string {
  const states = containers.map(({ state = 'running' }) => state)
  if (states.every((state) => state === 'terminated')) {
    return containers.some(({ exitCode = 0 }) => exitCode !== 0) ? 'Failed' : 'Succeeded'
  }
  return states.some((state) => state === 'running' || state === 'restarting') ? 'Running' : 'Pending'
}

function isReady({ state = 'running', ready = state === 'running' }: FakeContainer): boolean {
  return ready
}

function imageOf({ name }: FakeContainer): string {
  return `registry.example/${name}:1`
}

function statusOf(container: FakeContainer, phase: string, startedAt: string): unknown {
  const { name, state = 'running' } = container
  const isDone = phase === 'Succeeded' || phase === 'Failed'
  const current = isDone ? 'terminated' : state
  const { restarts = current === 'restarting' ? 3 : 0, exitCode = current === 'restarting' ? 1 : 0 } = container
  const ended = {
    terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt, finishedAt: startedAt },
  }
  const states = {
    running: { running: { startedAt } },
    waiting: { waiting: { reason: 'ContainerCreating' } },
    terminated: ended,
    restarting: {
      waiting: {
        reason: 'CrashLoopBackOff',
        message: `back-off 40s restarting failed container=${name}`,
      },
    },
  }
  return {
    name,
    image: imageOf(container),
    imageID: `${imageOf(container)}@sha256:0`,
    ...(current === 'waiting' ? {} : { containerID: newContainerId() }),
    ready: current === 'running' && isReady(container),
    started: current === 'running',
    restartCount: restarts,
    state: states[current],
    lastState: current === 'restarting' ? ended : {},
  }
}
