// The engine's exec from outside of the cluster: as the kit's administrator, or through a proxy that a test can cut.
import { createServer, connect, type Socket } from 'node:net'
import { readFileSync, writeFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Exec, Logger } from '@holdfast/sdk'
import { createExec, createRedactor, openCluster, rawOutput, systemClock, type Cluster } from '@holdfast/runtime'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** An exec on the kit's cluster. */
export interface ClusterExec extends AsyncDisposable {
  readonly exec: Exec
  readonly cluster: Cluster
}

/** Opens an exec. @param kubeconfig - default: the kit's administrator */
export async function openExec(
  options: { readonly kubeconfig?: string; readonly signal?: AbortSignal } = {},
): Promise<ClusterExec> {
  const { kubeconfig = process.env['KUBECONFIG'], signal = new AbortController().signal } = options
  const cluster = await openCluster({ env: { KUBECONFIG: kubeconfig }, clock: systemClock })
  if (!cluster) throw new Error('KUBECONFIG is not set: run e2e/run.sh')
  const exec = createExec({
    clock: systemClock,
    redactor: createRedactor(),
    output: rawOutput({ stdout: 2, stderr: 2, log: silent }),
    signal,
    log: silent,
    cluster,
  })
  return { exec, cluster, [Symbol.asyncDispose]: async () => cluster.close() }
}

/** A TCP proxy before the API server. */
export interface Proxy {
  /** A kubeconfig that goes through it. */
  readonly kubeconfig: string
  /** Connections die at once, without a word; new ones work. */
  cut(): void
  /** Nothing gets through any more, and nobody is told. */
  freeze(): void
  close(): void
}

/** Starts a {@link Proxy} on a port of its own. @param kubeconfig - whose connections; default: the kit's administrator */
export async function startProxy(kubeconfig = process.env['KUBECONFIG'] ?? ''): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let isSilent = false
  const server = createServer((client) => {
    const upstream = connect(Number(process.env['HOLDFAST_E2E_API_PORT']), '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    client.pipe(upstream).pipe(client)
    client.on('close', () => void (isSilent || upstream.destroy()))
    upstream.on('close', () => void (isSilent || client.destroy()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const file = join(mkdtempSync(join(tmpdir(), 'holdfast-e2e-')), 'kubeconfig')
  const original = readFileSync(kubeconfig, 'utf8')
  writeFileSync(file, original.replace(/https:\/\/127\.0\.0\.1:\d+/, `https://127.0.0.1:${port}`))
  return {
    kubeconfig: file,
    cut: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    freeze() {
      isSilent = true
      sockets.forEach((socket) => socket.pause().unpipe())
    },
    close() {
      server.close()
      sockets.forEach((socket) => socket.destroy())
    },
  }
}
