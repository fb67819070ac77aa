import type { WebSocket } from 'ws'
import type { Stdin } from '../stdin.ts'
import { channels, protocolV5 } from './protocol.ts'

/** The standard input of a command in a container. */
export interface RemoteInput extends Stdin {
  /** Bytes that were sent. */
  readonly sent: number
}

/** Bytes of one message; servers read a message as a whole. */
const longest = 32 * 1024
/** Bytes that may wait to be sent. */
const high = 2 ** 20

/** Writes to the stdin channel of a connection. Waits for room while too much is waiting to be sent. */
export function createInput(socket: WebSocket): RemoteInput {
  let sent = 0
  let over = false
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const go of waiting) go()
    waiting.clear()
  }
  const isOpen = (): boolean => !over && socket.readyState === socket.OPEN
  const flushed = (): void => {
    if (!isOpen() || socket.bufferedAmount <= high) wake()
  }

  return {
    get sent() {
      return sent
    },
    async write(chunk) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      for (let at = 0; at < bytes.length; at += longest) {
        if (!isOpen()) return false
        const part = bytes.subarray(at, at + longest)
        const message = Buffer.allocUnsafe(part.length + 1)
        message[0] = channels.stdin
        message.set(part, 1)
        sent += part.length
        socket.send(message, { binary: true }, flushed)
        if (socket.bufferedAmount > high) await new Promise<void>((resolve) => waiting.add(resolve))
      }
      return isOpen()
    },
    async end() {
      if (!isOpen()) return
      over = true
      if (socket.protocol !== protocolV5) return
      await new Promise<void>((resolve) => {
        waiting.add(resolve)
        socket.send(Buffer.of(channels.close, channels.stdin), { binary: true }, wake)
      })
    },
    close() {
      over = true
      wake()
    },
  }
}
