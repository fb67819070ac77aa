import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { channels } from './exec-output.ts'
import type { FakeExecution } from './fake-execution.ts'

/** What became of stdin, for the record. */
export interface StdinRecord {
  stdin: FakeExecution['stdin']
  received: number
}

/**
 * Hands the client's stdin to the process, as fast as it reads. It ends with the client's half-close, which version 4 of
 * the protocol doesn't know, or with the connection.
 *
 * @param rate - bytes per second
 * @param resume - goes on reading from the client
 */
export function feed(
  ws: WebSocket,
  stdin: Writable | undefined,
  record: StdinRecord,
  rate: number,
  resume: () => void,
): void {
  const isV5 = ws.protocol.startsWith('v5.')
  // A paused websocket still hands out what it has read already.
  const queue: Buffer[] = []
  let isBusy = false

  const take = (data: Buffer): Promise<unknown> | undefined => {
    if (!stdin || record.stdin !== 'open') return undefined
    const [channel, closing] = data
    if (isV5 && channel === channels.close && closing === channels.stdin) {
      record.stdin = 'half-closed'
      stdin.end()
      return undefined
    }
    if (channel !== channels.stdin || data.length === 1) return undefined
    const bytes = data.subarray(1)
    record.received += bytes.length
    const isTaken = stdin.write(bytes) || stdin.destroyed
    if (rate < Infinity) return delay((bytes.length / rate) * 1000, undefined, { ref: false })
    return isTaken ? undefined : drained(stdin)
  }
  const work = async (): Promise<void> => {
    isBusy = true
    for (let data = queue.shift(); data; data = queue.shift()) {
      const taken = take(data)
      if (!taken) continue
      ws.pause()
      await taken
    }
    isBusy = false
    resume()
  }
  ws.on('message', (data: Buffer) => {
    queue.push(data)
    if (!isBusy) void work()
  })
  ws.once('close', () => stdin?.end())
}

function drained(stdin: Writable): Promise<void> {
  return new Promise((resolve) => {
    stdin.once('drain', resolve)
    stdin.once('close', resolve)
  })
}
