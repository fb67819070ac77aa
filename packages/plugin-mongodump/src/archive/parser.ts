// The low level of mongodump's archives: a magic number, then blocks. A block is a header (a BSON document), documents,
// and a terminator. The first block, whose header is the archive's own and whose documents describe the collections, is
// the prelude. See "The Mongodump archive format specification" in the sources of MongoDB's tools.

/** Hears what is in an archive, in its order. What it throws ends the parsing. */
export interface ArchiveHandler {
  /** The archive's own header. */
  header(document: Uint8Array): void
  /** One collection, as the prelude describes it. */
  collection(document: Uint8Array): void
  /** @param offset - bytes of magic number and prelude together */
  preludeEnd(offset: number): void
  /** A block's header: what collection its documents are of, or that there are no more. */
  block(document: Uint8Array): void
  /** Bytes of a block's documents: `from` to before `to`. A document may come in pieces. */
  body(bytes: Uint8Array, from: number, to: number): void
  /** Some more documents came to their end. */
  documents(count: number): void
  blockEnd(): void
}

/** Where a parser stands. */
export interface ArchivePosition {
  /** Bytes so far. */
  readonly offset: number
  /** `between`: after a block, where an archive may end. */
  readonly at: 'magic' | 'prelude' | 'between' | 'header' | 'block' | 'document'
}

/** Parses a stream of any length; keeps one header at a time. */
export interface ArchiveParser {
  /** @throws ArchiveProblem, or what the handler throws */
  push(chunk: Uint8Array): void
  readonly position: ArchivePosition
}

/** What is wrong with an archive, as a clause: "it …". */
export class ArchiveProblem extends Error {
  override readonly name = 'ArchiveProblem'
}

/** The first four bytes, little endian. */
export const archiveMagic = 0x8199e26d
const terminator = -1
/** An empty document. */
const shortest = 5
/** What MongoDB's tools take, and no more. */
const longest = 16 * 2 ** 20

/** Creates an {@link ArchiveParser}. */
export function createArchiveParser(handler: ArchiveHandler): ArchiveParser {
  const word = new Uint8Array(4)
  let wordBytes = 0
  /** What the next length is of. */
  let next: 'magic' | 'archive header' | 'collection' | 'block header' | 'document' = 'magic'
  /** Bytes that a document still lacks. */
  let missing = 0
  /** A header, which is kept until it is whole. */
  let header: Uint8Array | undefined
  let offset = 0

  /** @returns bytes of the document that begins with this length, or undefined for a terminator */
  const lengthOf = (length: number): number | undefined => {
    if (length === terminator && (next === 'collection' || next === 'document')) return undefined
    if (length < shortest || length > longest) {
      throw new ArchiveProblem(`has ${length} at byte ${offset}, which is neither a length nor an end`)
    }
    return length
  }

  const beginHeader = (length: number): void => {
    header = new Uint8Array(length)
    header.set(word)
    missing = length - 4
  }

  const endHeader = (document: Uint8Array): void => {
    header = undefined
    if (document.at(-1) !== 0) throw new ArchiveProblem(`has a header without an end before byte ${offset}`)
    if (next === 'archive header') {
      handler.header(document)
      next = 'collection'
    } else if (next === 'collection') handler.collection(document)
    else {
      handler.block(document)
      next = 'document'
    }
  }

  const endBlock = (): void => {
    if (next === 'collection') handler.preludeEnd(offset)
    else handler.blockEnd()
    next = 'block header'
  }

  /** A length that came in pieces, or one of which little follows. */
  const takeWord = (): void => {
    const length = new DataView(word.buffer).getInt32(0, true)
    wordBytes = 0
    if (next === 'magic') {
      if (length >>> 0 !== archiveMagic) throw new ArchiveProblem('does not begin as an archive of mongodump does')
      next = 'archive header'
      return
    }
    const size = lengthOf(length)
    if (size === undefined) endBlock()
    else if (next === 'document') {
      handler.body(word, 0, 4)
      missing = size - 4
    } else beginHeader(size)
  }

  /** As many whole documents as the chunk has: by far the most of any archive. @returns where it stopped */
  const takeDocuments = (chunk: Uint8Array, from: number): number => {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let at = from
    let count = 0
    while (at + 4 <= chunk.length) {
      const length = view.getInt32(at, true)
      if (length === terminator || at + length > chunk.length || length < shortest) break
      if (chunk[at + length - 1] !== 0) {
        throw new ArchiveProblem(`has a document without an end before byte ${offset + at - from + length}`)
      }
      at += length
      count++
    }
    if (count > 0) {
      handler.body(chunk, from, at)
      handler.documents(count)
    }
    return at
  }

  /** A piece of the document or header that is under way. @returns where it stopped */
  const takePiece = (chunk: Uint8Array, from: number): number => {
    const to = Math.min(from + missing, chunk.length)
    if (header) header.set(chunk.subarray(from, to), header.length - missing)
    else handler.body(chunk, from, to)
    missing -= to - from
    offset += to - from
    if (missing > 0) return to
    if (header) endHeader(header)
    else if (chunk[to - 1] === 0) handler.documents(1)
    else throw new ArchiveProblem(`has a document without an end before byte ${offset}`)
    return to
  }

  return {
    push(chunk) {
      let at = 0
      while (at < chunk.length) {
        if (missing > 0) {
          at = takePiece(chunk, at)
          continue
        }
        if (next === 'document' && wordBytes === 0) {
          const to = takeDocuments(chunk, at)
          offset += to - at
          at = to
          if (at === chunk.length) return
        }
        word[wordBytes++] = chunk[at++] as number
        offset++
        if (wordBytes === 4) takeWord()
      }
    },
    get position() {
      const at = ((): ArchivePosition['at'] => {
        if (next === 'magic') return 'magic'
        if (next === 'archive header' || next === 'collection') return 'prelude'
        if (next === 'document') return missing > 0 || wordBytes > 0 ? 'document' : 'block'
        return missing > 0 || wordBytes > 0 ? 'header' : 'between'
      })()
      return { offset, at }
    },
  }
}
