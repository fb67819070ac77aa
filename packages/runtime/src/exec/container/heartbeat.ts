import type { WebSocket } from 'ws'
import type { RuntimeClock } from '../../clock.ts'

/** Whether the other end is still there. */
export interface Heartbeat {
  /** Something came. */
  heard(): void
  stop(): void
}

/** Options of {@link startHeartbeat}. */
export interface HeartbeatOptions {
  readonly socket: WebSocket
  readonly clock: RuntimeClock
  /** Between pings, in ms. */
  readonly every: number
  /** Bytes that were sent to the command so far. */
  readonly sent: () => number
  readonly lost: () => void
}

/**
 * What a healthy server takes in any case, for the command's own pipe holds as much. Beyond it, a server that waits for
 * the command to read does not get to our ping, which is behind the data.
 */
const alwaysTaken = 64 * 1024

/**
 * Pings while nothing comes. No answer until the next ping, and it is lost; unless we held the connection up ourselves,
 * or the command is slow to read its input: then the kernel, the deadlines or the command's reading decide.
 *
 * Nothing is sent while something comes: a server that is done has closed its end, and sending to it would lose what it
 * said last.
 */
export function startHeartbeat({ socket, clock, every, sent, lost }: HeartbeatOptions): Heartbeat {
  /** Since the last beat: something that the server sent by itself, or an answer. */
  let heard = false
  let answer = false
  let stopped = false
  /** Bytes before the last ping, and before the last one that was answered. */
  let pinged: number | undefined
  let answered = 0
  let cancel = (): void => {}

  const isLost = (): boolean => {
    if (heard || answer || pinged === undefined) return false
    return pinged === answered || sent() <= alwaysTaken
  }
  const beat = (): void => {
    if (stopped) return
    if (isLost()) {
      lost()
      return
    }
    // While we hold it up ourselves, an answer could not be read.
    if (heard || socket.isPaused || socket.readyState !== socket.OPEN) {
      pinged = undefined
    } else {
      pinged = sent()
      socket.ping(String(pinged))
    }
    heard = false
    answer = false
    cancel = clock.setTimer(every, look)
  }
  // Timers come before reads in a turn of the loop: an answer that is there is read before its absence counts.
  const look = (): void => void setImmediate(() => setImmediate(beat))
  const onPong = (data: Buffer): void => {
    answer = true
    const at = Number(data.toString('latin1'))
    if (at > answered) answered = at
  }
  socket.on('pong', onPong)
  cancel = clock.setTimer(every, look)

  return {
    heard: () => void (heard = true),
    stop() {
      stopped = true
      socket.off('pong', onPong)
      cancel()
    },
  }
}
