import type { Bytes } from '@holdfast/sdk'
import { readHeader, textOf, type Header } from './headers.ts'
import { ArchiveProblem, createArchiveParser } from './parser.ts'
import { decompress, isGzip } from './stream-check.ts'

/** A collection that an archive announces. */
export interface AnnouncedCollection {
  /** Empty for the oplog. */
  readonly database: string
  readonly collection: string
  readonly type: string
}

/** How an archive begins. */
export interface Prelude {
  readonly serverVersion: string
  readonly toolVersion: string
  /** The oplog too. */
  readonly collections: readonly AnnouncedCollection[]
  /** Its bytes, decompressed: all that a dry run of mongorestore reads. */
  readonly bytes: Uint8Array
  /** Whether mongodump has compressed the archive. */
  readonly gzip: boolean
}

/**
 * Reads an archive's list of collections, and no further.
 *
 * @throws ArchiveProblem, or what reading throws
 */
export async function readPrelude(source: Bytes): Promise<Prelude> {
  const kept: Buffer[] = []
  const collections: AnnouncedCollection[] = []
  let header: Header = new Map()
  let size: number | undefined
  const ignore = (): void => {}
  const parser = createArchiveParser({
    header: (document) => void (header = readHeader(document)),
    collection(document) {
      const fields = readHeader(document)
      collections.push({
        database: textOf(fields, 'db'),
        collection: textOf(fields, 'collection'),
        type: textOf(fields, 'type'),
      })
    },
    preludeEnd: (offset) => void (size = offset),
    block: ignore,
    body: ignore,
    documents: ignore,
    blockEnd: ignore,
  })
  const take = (plain: Uint8Array): void => {
    if (size !== undefined) return
    kept.push(Buffer.from(plain))
    parser.push(plain)
  }
  let gunzip: ReturnType<typeof decompress> | undefined
  let gzip: boolean | undefined
  for await (const chunk of source) {
    if (gzip === undefined && chunk.length > 0) {
      gzip = isGzip(chunk)
      if (gzip) gunzip = decompress(take)
    }
    if (gunzip) await gunzip.write(chunk)
    else take(chunk)
    if (size !== undefined) break
  }
  if (size === undefined) await gunzip?.end()
  gunzip?.close()
  if (size === undefined) throw new ArchiveProblem('is cut off in its list of collections')
  return {
    serverVersion: textOf(header, 'server_version'),
    toolVersion: textOf(header, 'tool_version'),
    collections,
    bytes: Buffer.concat(kept).subarray(0, size),
    gzip: gzip === true,
  }
}
