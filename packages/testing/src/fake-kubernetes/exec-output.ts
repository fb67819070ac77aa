import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { ExecPlan } from './exec-faults.ts'

/** Channels of the protocol. */
export const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const

/** What the server sends over one exec's connection. */
export interface ExecOutput {
  /** Bytes of stdout that were sent. */
  readonly sent: number
  /**
   * Sends all of a stream, as fast as the client takes it. When the client is gone, it is read no more, as in a real
   * cluster: a command that goes on writing waits for ever once its pipe is full.
   */
  pump(channel: number, stream: AsyncIterable<Uint8Array>): Promise<void>
  /** From now on nothing of any stream is sent: it is read, and lost. */
  loseRest(): void
  /** What was held back. */
  rest(): Promise<void>
  send(channel: number, bytes: Uint8Array): Promise<void>
  /** Waits until all of it is on its way. */
  flush(): Promise<void>
}

/** Bytes that may wait for the client before the command has to. */
const limit = 1 << 20
/** The longest content of a frame from a real server. */
const longest = 1 << 15

const never = new Promise<never>(() => {})

/** @param broken - called when the plan's break is due; nothing is sent after it */
export function createExecOutput(ws: WebSocket, plan: ExecPlan, broken: () => void): ExecOutput {
  let sent = 0
  let isBroken = false
  let isLost = false
  let held: Uint8Array = Buffer.alloc(0)
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const go of waiting) go()
    waiting.clear()
  }
  ws.once('close', wake)

  const flush = async (): Promise<void> => {
    while (ws.bufferedAmount > 0 && ws.readyState === ws.OPEN) await delay(1)
  }
  const frame = async (channel: number, bytes: Uint8Array): Promise<void> => {
    if (isBroken || ws.readyState !== ws.OPEN) await never
    ws.send(Buffer.concat([Uint8Array.of(channel), bytes]), { binary: true }, () => {
      if (ws.bufferedAmount <= limit) wake()
    })
    if (ws.bufferedAmount > limit) await new Promise<void>((resolve) => waiting.add(resolve))
    if (plan.sendRate < Infinity) await delay((bytes.length / plan.sendRate) * 1000)
  }
  const send = async (channel: number, bytes: Uint8Array): Promise<void> => {
    const size = Math.min(longest, plan.frameSize, Math.max(1, Math.ceil(plan.sendRate / 20)))
    for (let at = 0; at === 0 || at < bytes.length; at += size) {
      if (isLost && channel !== channels.status) return
      if (plan.emptyFrames)
        await frame(channel === channels.stderr ? channels.stdout : channels.stderr, Buffer.alloc(0))
      await frame(channel, bytes.subarray(at, at + size))
    }
  }
  const sendStdout = async (bytes: Uint8Array): Promise<void> => {
    const room = Math.max(0, Math.min(plan.cutAt, plan.breakAt) - sent)
    const part = bytes.subarray(0, room)
    sent += part.length
    if (part.length > 0) await send(channels.stdout, part)
    if (sent < plan.breakAt || isBroken) return
    await flush()
    isBroken = true
    broken()
  }

  return {
    get sent() {
      return sent
    },
    async pump(channel, stream) {
      for await (const chunk of stream) {
        if (channel !== channels.stdout) await send(channel, chunk)
        else if (plan.heldBack === 0) await sendStdout(chunk)
        else {
          const all = Buffer.concat([held, chunk])
          const part = Math.max(0, all.length - plan.heldBack)
          held = all.subarray(part)
          await sendStdout(all.subarray(0, part))
        }
      }
    },
    loseRest: () => void (isLost = true),
    rest: () => sendStdout(held),
    flush,
    send,
  }
}

/** Bytes from nowhere: number i is i modulo 251. */
export async function* flood(bytes: number): AsyncGenerator<Uint8Array> {
  const period = 251
  const pattern = Buffer.from(Array.from({ length: period }, (_, at) => at))
  const block = Buffer.concat(Array.from({ length: 256 }, () => pattern))
  for (let at = 0; at < bytes; at += block.length) yield block.subarray(0, Math.min(block.length, bytes - at))
}
