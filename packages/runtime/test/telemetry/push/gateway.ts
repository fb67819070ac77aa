import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A request to a {@link startGateway}. */
export interface Received {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly type: string | undefined
  readonly authorization?: string
  readonly body: string
}

/** A Pushgateway that takes everything, unless it is told to answer otherwise. */
export async function startGateway(
  answer: (response: ServerResponse, request: Received) => void = (response) => void response.writeHead(202).end(),
): Promise<{ readonly address: string; readonly received: Received[] }> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method, url: path, headers } = request
      const { 'content-type': type, authorization } = headers
      const body = Buffer.concat(chunks).toString()
      const got = { method, path, type, ...(authorization !== undefined && { authorization }), body }
      received.push(got)
      answer(response, got)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}
