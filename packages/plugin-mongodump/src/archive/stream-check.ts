import { createGunzip, type Gunzip } from 'node:zlib'
import { createArchiveCheck } from './check.ts'
import { ArchiveProblem } from './parser.ts'
import type { ArchiveSummary } from './summary.ts'

/** Checks an archive on its way past, compressed by mongodump or not. */
export interface StreamCheck {
  /** @throws ArchiveProblem; whether at once or as a promise, it is to be waited for */
  write(chunk: Uint8Array): void | Promise<void>
  /** @throws ArchiveProblem when something is missing */
  end(): Promise<ArchiveSummary>
  /** Lets go of what it holds. */
  close(): void
  readonly documents: number
  readonly current: string | undefined
}

/** Creates a {@link StreamCheck}. It sees by the first byte whether mongodump has compressed. */
export function createStreamCheck(): StreamCheck {
  const check = createArchiveCheck()
  let gunzip: Decompressing | undefined
  let begun = false
  return {
    write(chunk) {
      if (!begun && chunk.length > 0) {
        begun = true
        if (isGzip(chunk)) gunzip = decompress((plain) => check.push(plain))
      }
      if (!gunzip) return check.push(chunk)
      return gunzip.write(chunk)
    },
    async end() {
      await gunzip?.end()
      return check.end()
    },
    close: () => gunzip?.close(),
    get documents() {
      return check.documents
    },
    get current() {
      return check.current
    },
  }
}

/** Whether bytes begin as gzip's do: those of an archive never do. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f
}

/** A decompression under way. */
export interface Decompressing {
  /** Resolves when there is room for more. */
  write(chunk: Uint8Array): Promise<void>
  /** When all of it has been handed on. */
  end(): Promise<void>
  close(): void
}

/** Decompresses gzip. @param take - hears each piece; what it throws comes out of `write` or `end` */
export function decompress(take: (plain: Uint8Array) => void): Decompressing {
  const gunzip: Gunzip = createGunzip({ chunkSize: 256 * 1024 })
  let failure: unknown
  let wake = Promise.withResolvers<void>()
  const changed = (): void => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  const fail = (error: unknown): void => {
    failure ??= error
    gunzip.destroy()
    changed()
  }
  let ended = false
  gunzip.on('data', (plain: Uint8Array) => {
    try {
      take(plain)
    } catch (error) {
      fail(error)
    }
  })
  gunzip.on('error', (error) => fail(new ArchiveProblem(`is compressed, and that is damaged: ${error.message}`)))
  gunzip.on('drain', changed)
  gunzip.on('end', () => {
    ended = true
    changed()
  })
  return {
    async write(chunk) {
      if (failure === undefined && !gunzip.write(chunk)) {
        while (failure === undefined && gunzip.writableNeedDrain) await wake.promise
      }
      if (failure !== undefined) throw failure as Error
    },
    async end() {
      gunzip.end()
      while (failure === undefined && !ended) await wake.promise
      if (failure !== undefined) throw failure as Error
    },
    close: () => void gunzip.destroy(),
  }
}
