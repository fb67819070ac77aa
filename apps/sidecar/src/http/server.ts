import type { IncomingMessage, Server } from 'node:http'
import type { RuntimeClock } from '@holdfast/runtime'
import type { Answer } from './pages.ts'

// Not imported: among its exports is WebSocket, and an import reads them all, which loads all of undici (60 ms, 14 MB).
const { createServer } = process.getBuiltinModule('node:http')

/** More than every probe and scraper of a pod; whoever comes when there are so many is turned away. */
const mostConnections = 50
/** A request has a path and a few headers. */
const mostHeaderBytes = 8192
/** Until a request has arrived. */
const requestMs = 10_000
/** From a connection's first byte to its last, however slowly its client sends or reads. */
const connectionMs = 30_000

/**
 * A server that nobody can hold the daemon up with: one request per connection, and an end to everything. It doesn't
 * listen yet.
 */
export function createPageServer(answer: Answer, clock: Pick<RuntimeClock, 'setTimer'>): Server {
  const server = createServer(
    {
      maxHeaderSize: mostHeaderBytes,
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: requestMs / 2,
    },
    (request, response) => {
      // Connections that are kept alive pile up.
      response.shouldKeepAlive = false
      const { method = '', url = '', headers } = request
      const send = async (): Promise<void> => {
        const accept = headers.accept ?? ''
        const peer = request.socket.remoteAddress
        const page = await answer({ method, url, accept, headers, peer, body: (most) => readBody(request, most) })
        const { status, type, body, allow } = page
        response.writeHead(status, {
          'content-type': type,
          'content-length': Buffer.byteLength(body),
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          ...page.headers,
          ...(allow !== undefined && { allow }),
        })
        response.end(body)
      }
      send().catch(() => response.destroy())
    },
  )
  server.maxConnections = mostConnections
  server.on('connection', (socket) => {
    socket.once(
      'close',
      clock.setTimer(connectionMs, () => void socket.destroy()),
    )
  })
  return server
}

/** What comes with a request; it must have arrived when the request must have. */
async function readBody(request: IncomingMessage, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > mostBytes) throw new Error(`more than ${mostBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Ends a server and every connection to it. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // It says so, too, when it didn't listen.
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
