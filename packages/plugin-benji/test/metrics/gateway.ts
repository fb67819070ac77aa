import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger, Meter } from '@holdfast/sdk'
import { testClock, type TestClock } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import type { BenjiEngine } from '../../src/engine.ts'
import type { PushContext } from '../../src/metrics/push.ts'

/** A request to a {@link startGateway}. */
export interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly type: string | undefined
  readonly authorization: string | undefined
  readonly body: string
}

/** A Pushgateway that takes everything, unless it is told to answer otherwise. */
export async function startGateway(
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => void response.end(),
): Promise<{ readonly address: string; readonly port: number; readonly received: Received[] }> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method, url, headers } = request
      const { 'content-type': type, authorization } = headers
      received.push({ method, url, type, authorization, body: Buffer.concat(chunks).toString() })
      answer(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { address: `127.0.0.1:${port}`, port, received }
}

/** What a push needs, and what came of it. */
export function pushContext(compatMetrics: BenjiEngine['compatMetrics'], clock: TestClock = testClock()) {
  const counted: string[] = []
  const none = { set: () => {}, record: () => {} }
  const meter: Meter = {
    counter: (name) => ({ add: (_, labels) => void counted.push(`${name} ${JSON.stringify(labels)}`) }),
    gauge: () => none,
    histogram: () => none,
  }
  const warnings: string[] = []
  const silent = (): void => {}
  const log: Logger = { debug: silent, info: silent, error: silent, warn: (text) => void warnings.push(text) }
  const stop = new AbortController()
  const config = { engine: { instance: 'benji-east', compatMetrics } }
  const ctx: PushContext = { config, clock, log, meter, signal: stop.signal }
  const failures = (): number =>
    counted.filter((each) => each === 'holdfast_push_failures_total {"sink":"benji"}').length
  return { ctx, warnings, failures, stop }
}
