import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { startFakeKubernetes, testClock, type FakeKubernetes, type TestClock } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { createApiClient, type ApiClient } from '../../src/kubernetes/api-client.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import { createKubernetes, type RuntimeKubernetes } from '../../src/kubernetes/kubernetes.ts'

/** A fake server and a client of it. */
export interface Setup {
  readonly server: FakeKubernetes
  readonly api: ApiClient
  readonly kubernetes: RuntimeKubernetes
  readonly clock: TestClock
}

/** A directory of the test's own. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-kubernetes-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Starts a server that ends with the test. */
export async function serve(...options: Parameters<typeof startFakeKubernetes>): Promise<FakeKubernetes> {
  const server = await startFakeKubernetes(...options)
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

/** A client by kubeconfig, on a clock that stands still. */
export async function setUp(options: { readonly random?: () => number } = {}): Promise<Setup> {
  const server = await serve({ namespace: 'shop' })
  const file = join(scratch(), 'kubeconfig')
  writeFileSync(file, server.kubeconfig())
  const connection = await connect({ env: { KUBECONFIG: file }, clock: systemClock })
  if (!connection) throw new Error('no connection')
  const clock = testClock()
  const { random = () => 1 } = options
  const api = createApiClient({ connection, clock, random })
  onTestFinished(() => api.close())
  const kubernetes = createKubernetes({ api, clock, reporter: 'holdfast-0' })
  return { server, api, kubernetes, clock }
}

/** The error that a promise ends with; a test that gets none fails. */
export async function failureOf(work: Promise<unknown>): Promise<HoldfastError> {
  const outcome = await work.then(
    () => 'it succeeded',
    (error: unknown) => error,
  )
  if (isHoldfastError(outcome)) return outcome
  throw new Error('no HoldfastError', { cause: outcome })
}

/** A ConfigMap. */
export function configMap(name: string, more: Readonly<Record<string, unknown>> = {}): { metadata: { name: string } } {
  return { metadata: { name, namespace: 'shop' }, ...more } as { metadata: { name: string } }
}

/** Lets time pass until a promise settles: retries wait on the clock. */
export async function passTime(
  clock: TestClock,
  work: Promise<unknown>,
  step: '100ms' | '1s' | '5s' = '100ms',
): Promise<void> {
  let settled = false
  const settle = (): void => void (settled = true)
  work.then(settle, settle)
  const end = Date.now() + 15_000
  while (!settled && Date.now() < end) {
    await clock.advance(step)
    // Answers come over a real socket.
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
