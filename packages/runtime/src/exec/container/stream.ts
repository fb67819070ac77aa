import { formatDuration } from '@holdfast/sdk'
import type { RawData, WebSocket } from 'ws'
import type { RuntimeClock } from '../../clock.ts'
import { reasonOf } from '../../failure.ts'
import type { StreamName } from '../receiver.ts'
import { startHeartbeat } from './heartbeat.ts'
import { createInput, type RemoteInput } from './input.ts'
import { createIntake } from './intake.ts'
import { channels, readStatus, unreadable, type RemoteStatus } from './protocol.ts'
import { limits } from './services.ts'

/** A command's streams over one connection. */
export interface ContainerStream {
  readonly input: RemoteInput
  /** How the command ended, once the cluster has said it. */
  readonly status: RemoteStatus | undefined
  /** Why there is none: the connection ended, or what came instead. */
  readonly reason: string
  /** Whether output waits for whoever takes it. */
  readonly held: boolean
  /** Whether output was taken more slowly than it came, shortly before the status or after it. */
  readonly hurried: boolean
  /** Resolves when the status is there, or never will be. */
  readonly settled: Promise<void>
  /** Resolves when the connection is closed and all that came was taken. */
  readonly ended: Promise<void>
  /** Ends the connection, whatever is pending. */
  close(reason: string): void
}

/** Options of {@link openStream}. */
export interface OpenStreamOptions {
  /** Open, and paused. */
  readonly socket: WebSocket
  readonly clock: RuntimeClock
  readonly take: (from: StreamName, chunk: Uint8Array) => void | Promise<void>
  readonly failed: (from: StreamName, error: unknown) => void
}

const longestStatus = 64 * 1024

/**
 * Speaks the protocol of exec: output is handed on with backpressure, the status is read, and a connection that is gone
 * without a word is noticed. Messages that mean nothing are ignored.
 */
export function openStream({ socket, clock, take, failed }: OpenStreamOptions): ContainerStream {
  const settled = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let status: RemoteStatus | undefined
  let statusAt = Infinity
  /** When we last held the connection up; while we do, `Infinity`. */
  let heldAt = -Infinity
  let reason: string | undefined
  /** On the status channel. */
  let said = Buffer.alloc(0)
  let cancelClose = (): void => {}

  const input = createInput(socket)
  const intake = createIntake({
    take,
    failed,
    pause() {
      heldAt = Infinity
      socket.pause()
    },
    resume() {
      heldAt = clock.monotonic()
      socket.resume()
    },
  })
  const close = (why: string): void => {
    reason ??= why
    socket.terminate()
  }
  const heartbeat = startHeartbeat({
    socket,
    clock,
    every: limits.pingMs,
    sent: () => input.sent,
    lost: () => close(`no answer to a ping for ${formatDuration(limits.pingMs)}`),
  })
  /** The server closes after the status; what still comes is taken. */
  const closeSoon = (): void => {
    cancelClose()
    cancelClose = clock.setTimer(limits.closeMs, () => {
      if (socket.isPaused) closeSoon()
      else close(status ? 'the server did not close the connection' : unreadable(said.toString('utf8')))
    })
  }

  const onStatus = (part: Buffer): void => {
    said = Buffer.concat([said, part])
    try {
      status = readStatus(said.toString('utf8'))
      if (status) {
        statusAt = clock.monotonic()
        settled.resolve()
      } else if (said.length > longestStatus) close(unreadable(said.toString('utf8')))
    } catch (error) {
      close(reasonOf(error))
    }
  }

  socket.on('message', (data: RawData) => {
    heartbeat.heard()
    const message = data as Buffer
    const content = message.subarray(1)
    if (content.length > 0) {
      if (message[0] === channels.stdout) intake.push('stdout', content)
      else if (message[0] === channels.stderr) intake.push('stderr', content)
      else if (message[0] === channels.status && !status) onStatus(content)
    }
    // Also after a part: what does not get whole is not waited for.
    if (said.length > 0) closeSoon()
  })
  // Whoever opened the connection listens, too: this one says why.
  socket.on('error', (error) => (reason ??= reasonOf(error)))
  socket.once('close', (code, text) => {
    if (!status && said.length > 0) reason ??= unreadable(said.toString('utf8'))
    const words = text.toString('utf8')
    reason ??= `the connection ended (${code}${words === '' ? '' : ` ${words}`})`
    cancelClose()
    heartbeat.stop()
    input.close()
    settled.resolve()
    closed.resolve()
  })
  const ended = closed.promise.then(() => intake.drained())
  socket.resume()

  return {
    input,
    get status() {
      return status
    },
    get reason() {
      return reason ?? 'it is still open'
    },
    get held() {
      return intake.waiting > 0
    },
    get hurried() {
      return heldAt > statusAt - limits.settleMs
    },
    settled: settled.promise,
    ended,
    close,
  }
}
