import type { Bytes } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'

/** How often at most it is told. */
const everyMs = 250

/** Bytes that tell how far they are read: now and then, and at their end. */
export async function* toldBytes(
  bytes: Bytes,
  clock: Pick<RuntimeClock, 'monotonic'>,
  tell: (read: number, isEnd: boolean) => void,
): AsyncGenerator<Uint8Array> {
  let read = 0
  let told = clock.monotonic()
  for await (const chunk of bytes) {
    yield chunk
    read += chunk.length
    if (clock.monotonic() - told < everyMs) continue
    told = clock.monotonic()
    tell(read, false)
  }
  tell(read, true)
}
