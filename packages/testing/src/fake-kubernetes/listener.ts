import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

/** Certificate and key of a server, as PEM. */
export interface FakeTls {
  readonly key: string
  readonly cert: string
  /** What clients trust. Default: the certificate itself. */
  readonly ca?: string | undefined
}

/** The server's place on the network. */
export interface Listener {
  readonly port: number
  /** Says what is done with what comes in; once, before anybody knows the port. */
  serve(handlers: Handlers): void
  /** TCP connections that were made so far. */
  readonly connections: number
  /** Which of them a request came over, from 1. */
  connectionOf(request: IncomingMessage): number
  /** Ends a connection with RST instead of FIN, also below TLS. */
  reset(socket: Socket): void
  /** Ends every connection and refuses new ones. */
  down(): Promise<void>
  /** Accepts again, on the same port. */
  up(): Promise<void>
}

/** Called for what comes in. */
export interface Handlers {
  request(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void
}

/** As Go's: the line and the headers of a request may take 1 MiB together. */
const maxHeaderSize = 1 << 20

/** Listens on a free port of the loopback interface. */
export async function listen(tls: FakeTls | undefined): Promise<Listener> {
  // By the client's port: a TLS socket and the plain one below it have it in common.
  const open = new Map<number | undefined, { readonly socket: Socket; readonly number: number }>()
  let connections = 0
  const options = { maxHeaderSize, keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }
  const server: Server = tls ? createTlsServer({ ...options, key: tls.key, cert: tls.cert }) : createServer(options)
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket
    const connection = { socket, number: ++connections }
    open.set(remotePort, connection)
    socket.once('close', () => {
      if (open.get(remotePort) === connection) open.delete(remotePort)
    })
    socket.on('error', () => {})
  })
  server.on('secureConnection', (socket: Socket) => socket.on('error', () => {}))

  const start = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
  await start(0)
  const { port } = server.address() as AddressInfo

  return {
    port,
    get connections() {
      return connections
    },
    serve(handlers) {
      server.on('request', handlers.request)
      server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
        socket.on('error', () => {})
        handlers.upgrade(request, socket, head)
      })
    },
    connectionOf: ({ socket }) => open.get(socket.remotePort)?.number ?? 0,
    reset: (socket) => void open.get(socket.remotePort)?.socket.resetAndDestroy(),
    async down() {
      if (!server.listening) return
      const closed = new Promise((resolve) => server.close(resolve))
      for (const { socket } of open.values()) socket.destroy()
      await closed
    },
    async up() {
      if (!server.listening) await start(port)
    },
  }
}
