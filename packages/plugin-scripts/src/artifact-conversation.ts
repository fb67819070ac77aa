// The run's side of what artifact-frames.ts describes.
import type { Socket } from 'node:net'
import type { Sink } from '@holdfast/sdk'
import { encodeFrame, protocolVersion, type Frame } from './artifact-frames.ts'

/** The greeting of a client: who it is, and what it wants to save. */
export async function readHello(
  frames: AsyncGenerator<Frame>,
): Promise<{ readonly token: string; readonly name: string; readonly pid: number }> {
  const { type, payload } = await nextFrame(frames)
  if (type !== 'H') throw new Error(`expected a greeting, not a frame of type ${JSON.stringify(type)}`)
  const { version, token, name, pid } = JSON.parse(payload.toString('utf8')) as Record<string, unknown>
  if (version !== protocolVersion || typeof token !== 'string' || typeof name !== 'string' || typeof pid !== 'number') {
    throw new Error('save_artifact and this run are of different versions')
  }
  return { token, name, pid }
}

/** Writes what arrives until its explicit end. Returns how many bytes there were. */
export async function pump(frames: AsyncGenerator<Frame>, sink: Sink): Promise<number> {
  let size = 0
  for (;;) {
    const frame = await nextFrame(frames)
    if (frame.type !== 'D') {
      checkEnd(frame, size)
      return size
    }
    size += frame.payload.length
    await sink.write(frame.payload)
  }
}

async function nextFrame(frames: AsyncGenerator<Frame>): Promise<Frame> {
  const cut = 'save_artifact was ended before it had sent everything'
  const next = await frames.next().catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    throw code === undefined ? error : new Error(cut, { cause: error })
  })
  if (next.done) throw new Error(cut)
  return next.value
}

/** One line about anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Only an explicit end, after exactly the bytes that it speaks of, is one. */
function checkEnd({ type, payload }: Frame, size: number): void {
  if (type === 'X') throw new Error(payload.toString('utf8'))
  if (type !== 'E' || payload.length !== 8) throw new Error(`unexpected frame of type ${JSON.stringify(type)}`)
  const expected = payload.readBigUInt64BE()
  if (expected !== BigInt(size)) throw new Error(`${size} of ${expected} bytes arrived`)
  if (size === 0) throw new Error('it has no bytes; a backup of nothing is not kept')
}

/** Answers a client that still listens. */
export function answer(socket: Socket, type: string, payload = ''): void {
  if (socket.writable) socket.write(encodeFrame(type, payload))
}
