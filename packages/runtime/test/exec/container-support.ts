import { startFakeKubernetes, type FakeContainer, type FakeKubernetes } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import type { ContainerRef, Exec, Sink } from '@holdfast/sdk'
import { systemClock, type RuntimeClock } from '../../src/clock.ts'
import { createContainerExec, type ContainerExec } from '../../src/exec/container/container-exec.ts'
import { createExec } from '../../src/exec/create-exec.ts'
import { createApiClient } from '../../src/kubernetes/api-client.ts'
import type { Connection } from '../../src/kubernetes/connection.ts'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { createRedactor, type Redactor } from '../../src/telemetry/redaction.ts'
import { captureLog, captureOutput } from './support.ts'

/** A pod on a fake server, and an exec that reaches it. */
export interface ContainerSetup {
  readonly server: FakeKubernetes
  readonly exec: Exec
  /** The same with a say in how. */
  readonly raw: ContainerExec
  readonly redactor: Redactor
  readonly metrics: Metrics
  readonly log: ReturnType<typeof captureLog>
  readonly output: ReturnType<typeof captureOutput>
  readonly connection: Connection
}

/** The container of {@link setUp}. */
export const db: ContainerRef = { pod: 'db-0', container: 'postgres' }

/** Starts a server with one pod, `db-0`, of one container, `postgres`. It ends with the test. */
export async function setUp(
  options: {
    readonly clock?: RuntimeClock
    readonly signal?: AbortSignal
    readonly killGraceMs?: number
    readonly container?: Partial<FakeContainer>
    readonly server?: Parameters<typeof startFakeKubernetes>[0]
    /** Of the server, as the client knows it; asked for each connection. Needed with `server.tls`. */
    readonly ca?: (refresh: boolean) => string
  } = {},
): Promise<ContainerSetup> {
  const server = await startFakeKubernetes({ namespace: 'shop', ...options.server })
  onTestFinished(() => server[Symbol.asyncDispose]())
  server.addPod({
    name: 'db-0',
    labels: { app: 'db' },
    containers: [{ name: 'postgres', ...options.container }],
  })
  const { clock = systemClock, signal = new AbortController().signal, killGraceMs = 300 } = options
  const connection: Connection = {
    server: new URL(server.url),
    namespace: 'shop',
    source: 'the test',
    // As a service account does: the token is read once, and again when it was refused.
    credentials: ({ refresh = false } = {}) => {
      if (refresh) token = server.token
      const tls = options.ca ? { ca: options.ca(refresh) } : {}
      return Promise.resolve({ headers: { authorization: `Bearer ${token}` }, tls, version: '1' })
    },
  }
  let { token } = server
  const api = createApiClient({ connection, clock, random: () => 0.5 })
  onTestFinished(() => api.close())
  const redactor = createRedactor()
  const log = captureLog()
  const output = captureOutput()
  const metrics = createMetrics()
  const all = {
    clock,
    redactor,
    log,
    output,
    signal,
    killGraceMs,
    cluster: { connection, api },
    meter: metrics,
    random: () => 0,
  }
  return { server, exec: createExec(all), raw: createContainerExec(all), redactor, metrics, log, output, connection }
}

/** A shell's words as a command. */
export function sh(text: string, ...args: readonly string[]): [string, ...string[]] {
  return ['sh', '-c', text, 'sh', ...args]
}

/** Keeps what it gets. */
export function collect(): Sink & { readonly bytes: () => Buffer } {
  const chunks: Uint8Array[] = []
  return {
    write: (chunk) => {
      chunks.push(chunk)
      return Promise.resolve()
    },
    bytes: () => Buffer.concat(chunks),
  }
}

/** Chunks as a stream. */
export async function* stream(...chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}
