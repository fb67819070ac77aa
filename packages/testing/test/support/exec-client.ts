import { WebSocket } from 'ws'
import type { FakeKubernetes } from '../../src/index.ts'

/** What a client saw of one exec. */
export interface Seen {
  /** HTTP status of a refusal, with its body. */
  refused?: { status: number; body: string }
  /** Frames in the order in which they came: channel and bytes. */
  readonly frames: { readonly channel: number | undefined; readonly bytes: Buffer }[]
  closed?: { code: number }
  /** How the connection went below the websocket: its end (FIN), or the code of an error. */
  tcp?: string
  error?: string
}

export interface ExecClient {
  readonly ws: WebSocket
  readonly seen: Seen
  /** All that came on a channel. */
  text(channel: number): string
  /** The status frame, read as JSON. */
  status(): Record<string, unknown>
  /** When the connection is gone, or was never there. */
  readonly ended: Promise<void>
  readonly opened: Promise<void>
}

export interface ExecClientOptions {
  readonly pod?: string
  readonly container?: string
  readonly stdin?: boolean
  readonly protocols?: string[]
  readonly token?: string
}

/** A bare client that believes nothing: it notes what comes. */
export function execClient(
  server: FakeKubernetes,
  command: readonly string[],
  options: ExecClientOptions = {},
): ExecClient {
  const { pod = 'p', container, stdin = false, protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] } = options
  const query = new URLSearchParams({ stdout: 'true', stderr: 'true', stdin: String(stdin) })
  if (container !== undefined) query.set('container', container)
  for (const word of command) query.append('command', word)
  const path = `/api/v1/namespaces/default/pods/${pod}/exec?${query.toString()}`
  const ws = new WebSocket(server.url.replace('http', 'ws') + path, protocols, {
    headers: { authorization: `Bearer ${options.token ?? server.token}` },
    perMessageDeflate: false,
    rejectUnauthorized: false,
  })
  const seen: Seen = { frames: [] }
  ws.on('message', (data: Buffer) => seen.frames.push({ channel: data[0], bytes: data.subarray(1) }))
  ws.on('error', (error) => (seen.error = error.message))
  ws.once('upgrade', ({ socket }) => {
    socket.once('end', () => (seen.tcp ??= 'end'))
    socket.once('error', (error: NodeJS.ErrnoException) => (seen.tcp ??= error.code ?? ''))
  })
  const opened = new Promise<void>((resolve) => void ws.once('open', resolve))
  const ended = new Promise<void>((resolve) => {
    ws.once('close', (code) => {
      seen.closed = { code }
      resolve()
    })
    ws.once('unexpected-response', (_request, response) => {
      let body = ''
      response.on('data', (chunk) => (body += String(chunk)))
      response.on('end', () => {
        seen.refused = { status: response.statusCode ?? 0, body }
        resolve()
      })
    })
  })
  const all = (channel: number): Buffer =>
    Buffer.concat(seen.frames.filter((frame) => frame.channel === channel).map(({ bytes }) => bytes))
  return {
    ws,
    seen,
    ended,
    opened,
    text: (channel) => all(channel).toString(),
    status: () => JSON.parse(all(3).toString()) as Record<string, unknown>,
  }
}
