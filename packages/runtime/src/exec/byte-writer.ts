import { fstatSync, write as writeFile, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { isatty } from 'node:tty'
import { promisify } from 'node:util'

/** Writes bytes whole and in order. The chunk must stay as it is until the result. */
export type ByteWriter = (chunk: Uint8Array) => void | Promise<void>

const write = promisify(writeFile)
/** How long a full pipe that doesn't block is left alone, in ms. */
const retryMs = 5

/** Writes to a descriptor or stream: at once where that can't block, else without blocking, one write at a time. */
export function createByteWriter(to: number | Writable): ByteWriter {
  if (typeof to !== 'number') return streamWriter(to)
  return neverBlocks(to) ? fileWriter(to) : queued(pipeWriter(to))
}

/** A regular file or /dev/null; not a terminal, pipe or socket, whose other end may be slow. */
function neverBlocks(fd: number): boolean {
  const stat = fstatSync(fd)
  return stat.isFile() || (stat.isCharacterDevice() && !isatty(fd))
}

function fileWriter(fd: number): ByteWriter {
  return (chunk) => {
    for (let at = 0; at < chunk.length;) at += writeSync(fd, chunk, at, chunk.length - at)
  }
}

function pipeWriter(fd: number): (chunk: Uint8Array) => Promise<void> {
  return async (chunk) => {
    for (let at = 0; at < chunk.length;) {
      try {
        at += (await write(fd, chunk, at, chunk.length - at)).bytesWritten
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
  }
}

function streamWriter(stream: Writable): ByteWriter {
  let broken: Error | undefined
  stream.once('error', (error: Error) => (broken = error))
  return (chunk) => {
    if (broken) throw broken
    // A stream may keep the chunk beyond its return, and the reader fills it again.
    return new Promise((resolve, reject) => {
      stream.write(chunk, (error) => (error ? reject(error) : resolve()))
    })
  }
}

/** A stuck reader may hold one thread of the pool, not all of them. */
function queued(writer: (chunk: Uint8Array) => Promise<void>): ByteWriter {
  let last: Promise<unknown> = Promise.resolve()
  return (chunk) => {
    const mine = last.then(() => writer(chunk))
    last = mine.catch(() => {})
    return mine
  }
}
