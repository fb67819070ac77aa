import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { selfSignedTls } from '@holdfast/testing'
import { defineHook, type HookModule } from '@holdfast/sdk'
import { onTestFinished } from 'vitest'

/** A request as it came in. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A service on this machine that is told things. */
export interface Service {
  readonly url: string
  readonly received: readonly Received[]
  /** The bodies, as JSON. */
  json(): readonly Record<string, unknown>[]
}

type Answer = (response: ServerResponse, request: Received, count: number) => void

/** Starts one; it is gone at the end of the test. */
export async function service(
  answer: Answer = (response) => response.end('ok'),
  tls?: ReturnType<typeof selfSignedTls>,
): Promise<Service> {
  const received: Received[] = []
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const got = { method, path: url, headers, body: Buffer.concat(chunks).toString() }
      received.push(got)
      answer(response, got, received.length)
    })
  }
  const server = tls ? createHttpsServer(tls, listener) : createHttpServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http${tls ? 's' : ''}://127.0.0.1:${port}/hook`,
    received,
    json: () => received.map(({ body }) => JSON.parse(body) as Record<string, unknown>),
  }
}

/** A file with a certificate, gone at the end of the test. */
export function certificateFile({ cert }: { readonly cert: string }): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-notify-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'ca.pem')
  writeFileSync(file, cert)
  return file
}

/** A plan's only target: it fails as long as the world says so. */
export function orders(world: { failure?: Error | undefined } = {}): HookModule {
  return defineHook(
    'backups',
    async (ctx) => {
      if (world.failure) throw world.failure
      await ctx.createArtifact('orders', (sink) => sink.write(Buffer.from('orders')))
    },
    { name: 'orders' },
  )
}
