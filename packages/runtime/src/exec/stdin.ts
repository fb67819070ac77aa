import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type { Bytes } from '@holdfast/sdk'

/** What is written to: our end of a pipe of the system, or a stream of Node's. */
export type StdinTarget = { readonly fd: number } | { readonly stream: Writable }

/** The standard input of a running command. */
export interface Stdin {
  /**
   * Resolves when there is room for more.
   *
   * @returns false when the command doesn't read any more: no error by itself
   */
  write(chunk: Uint8Array | string): Promise<boolean>
  /** Ends it: the command reads the end. Resolves when all was taken. */
  end(): Promise<void>
  /** Lets go of it, whatever is pending. */
  close(): void
}

/** Opens the standard input of a child for writing. */
export function openStdin(target: StdinTarget): Stdin {
  const stream = 'stream' in target ? target.stream : new Socket({ fd: target.fd, readable: false, writable: true })
  let broken = false
  // EPIPE: the command closed its input or is gone. Its exit code says whether that was right.
  stream.on('error', () => (broken = true))

  return {
    async write(chunk) {
      if (broken || stream.destroyed) return false
      if (!stream.write(chunk)) await either(stream, 'drain', 'close')
      return !broken && !stream.destroyed
    },
    async end() {
      if (stream.destroyed) return
      const closed = either(stream, 'close')
      stream.end()
      await closed
    },
    close: () => void stream.destroy(),
  }
}

/** Waits for one of some events, and leaves no listener behind. */
function either(stream: Writable, ...events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) stream.off(event, done)
      resolve()
    }
    for (const event of events) stream.on(event, done)
  })
}

/**
 * Writes all of a source to a command's input, and ends it.
 *
 * @param gone - resolves when the command has exited: the source is let go, even if it never yields again
 * @throws whatever the source throws; the input is not ended then, for the command must not take a part for the whole
 */
export async function feed(stdin: Stdin, source: Bytes | string, gone: Promise<unknown>): Promise<void> {
  if (typeof source === 'string') {
    await stdin.write(source)
  } else {
    const chunks = source[Symbol.asyncIterator]()
    // One reaction on `gone`, not one per chunk.
    let interrupt = (): void => {}
    let over = false
    const watch = async (): Promise<void> => {
      await gone
      over = true
      interrupt()
    }
    void watch()
    const next = (): Promise<IteratorResult<Uint8Array> | undefined> =>
      new Promise((resolve, reject) => {
        interrupt = () => resolve(undefined)
        if (over) interrupt()
        else chunks.next().then(resolve, reject)
      })
    for (;;) {
      const chunk = await next()
      if (chunk?.done === true) break
      if (chunk && (await stdin.write(chunk.value))) continue
      // Not waited for: a source that hangs in its next value hangs in its return, too.
      chunks.return?.().catch(() => {})
      return
    }
  }
  await stdin.end()
}
