import { createCrc64, type Crc64 } from './crc64.ts'
import { readHeader, textOf, type Header } from './headers.ts'
import { ArchiveProblem, createArchiveParser, type ArchiveHandler } from './parser.ts'
import { namespaceOf, type ArchivedCollection, type ArchiveSummary } from './summary.ts'

/** Reads an archive and proves that it is whole. Its memory is one header and a few numbers per collection. */
export interface ArchiveCheck {
  /** @throws ArchiveProblem */
  push(chunk: Uint8Array): void
  /**
   * After the last chunk.
   *
   * @throws ArchiveProblem when something is missing
   */
  end(): ArchiveSummary
  /** Documents so far. */
  readonly documents: number
  /** The collection whose documents came last. */
  readonly current: string | undefined
}

/** The only version there is. */
const knownVersion = '0.1'

interface Entry {
  readonly database: string
  readonly collection: string
  readonly type: string
  state: 'announced' | 'open' | 'closed'
  documents: number
  bytes: number
  crc: Crc64 | undefined
}

/**
 * Creates an {@link ArchiveCheck}: magic number, header, and for each collection that the prelude announces, documents
 * that are whole, an end mark, and a checksum that is right.
 *
 * It can't know what mongodump left out: when the server goes away in the middle, mongodump exits with 1, but not before it
 * has written an end mark with the right checksum for half of a collection (seen with 100.10). So its exit code counts, and
 * the numbers of the server.
 */
export function createArchiveCheck(): ArchiveCheck {
  const entries = new Map<string, Entry>()
  let header: Header | undefined
  let preludeBytes = 0
  let current: Entry | undefined
  /** The block is an end mark, which has no documents. */
  let isEnd = false
  let documents = 0

  const handler: ArchiveHandler = {
    header(document) {
      header = readHeader(document)
      const version = textOf(header, 'version')
      if (version !== knownVersion) throw new ArchiveProblem(`is of version ${version}; known is ${knownVersion}`)
    },
    collection(document) {
      const fields = readHeader(document)
      const [database, collection, type] = ['db', 'collection', 'type'].map((name) => textOf(fields, name))
      const entry: Entry = {
        database: database ?? '',
        collection: collection ?? '',
        type: type ?? '',
        state: 'announced',
        documents: 0,
        bytes: 0,
        crc: undefined,
      }
      entries.set(dataKey(entry), entry)
    },
    preludeEnd: (offset) => void (preludeBytes = offset),
    block(document) {
      const fields = readHeader(document)
      const name = namespaceOf({ database: textOf(fields, 'db'), collection: textOf(fields, 'collection') })
      const entry = entries.get(name)
      if (!entry) throw new ArchiveProblem(`has documents of ${name}, which its beginning doesn't name`)
      if (entry.state === 'closed') throw new ArchiveProblem(`has more of ${name} after its end`)
      entry.state = 'open'
      entry.crc ??= createCrc64()
      current = entry
      isEnd = fields.get('EOF') === true
      if (!isEnd) return
      const expected = fields.get('CRC')
      if (entry.crc.value() !== (typeof expected === 'number' ? BigInt(expected) : expected)) {
        throw new ArchiveProblem(`is damaged: the checksum of ${name} is wrong`)
      }
      entry.state = 'closed'
      entry.crc = undefined
    },
    body(bytes, from, to) {
      if (!current?.crc || isEnd) throw new ArchiveProblem('has documents after the end of their collection')
      current.crc.update(bytes, from, to)
      current.bytes += to - from
    },
    documents(count) {
      if (current) current.documents += count
      documents += count
    },
    blockEnd() {},
  }
  const parser = createArchiveParser(handler)

  return {
    push: (chunk) => parser.push(chunk),
    get documents() {
      return documents
    },
    get current() {
      return current && namespaceOf(current)
    },
    end() {
      const { at, offset } = parser.position
      if (offset === 0) throw new ArchiveProblem('has no bytes')
      if (at !== 'between' || !header) throw new ArchiveProblem(`is cut off after ${offset} bytes, ${placeOf(at)}`)
      const all = [...entries.values()]
      const unfinished = all.filter(({ state }) => state !== 'closed')
      if (unfinished.length > 0) {
        throw new ArchiveProblem(`ends after ${offset} bytes without the end of ${listOf(unfinished)}`)
      }
      const isOplog = ({ database }: Entry): boolean => database === ''
      const collections = all.filter((entry) => !isOplog(entry)).map(archived)
      const oplog = all.find(isOplog)
      return {
        version: textOf(header, 'version'),
        serverVersion: textOf(header, 'server_version'),
        toolVersion: textOf(header, 'tool_version'),
        concurrentCollections: Number(header.get('concurrent_collections') ?? 0),
        collections,
        oplog: oplog && archived(oplog),
        documents: collections.reduce((sum, each) => sum + each.documents, 0),
        bytes: offset,
        preludeBytes,
      }
    },
  }
}

function placeOf(at: string): string {
  if (at === 'magic') return 'before it begins'
  if (at === 'prelude') return 'in its list of collections'
  return at === 'document' ? 'in the middle of a document' : 'in the middle of a collection'
}

/** Where the documents of an entry of the prelude are: those of a time series are in its buckets. */
function dataKey({ database, collection, type }: Entry): string {
  return namespaceOf({ database, collection: type === 'timeseries' ? `system.buckets.${collection}` : collection })
}

function archived({ database, collection, type, documents, bytes }: Entry): ArchivedCollection {
  return { database, collection, type, documents, bytes }
}

function listOf(entries: readonly Entry[]): string {
  const names = entries.map(namespaceOf)
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
}
