// Archives as mongodump writes them, byte for byte; archive.test.ts holds one against a real one. With MongoDB's own BSON library,
// and a checksum of its own: it must not share mistakes with what it tests.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  deserialize,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  serialize,
  Timestamp,
  type Document,
} from 'bson'

/** A collection of an archive. */
export interface ArchiveFixture {
  readonly database: string
  readonly collection: string
  /** Default: `collection`. */
  readonly type?: 'collection' | 'view' | 'timeseries'
  /** As JSON, with indexes and options. Default: none but that of `_id`. */
  readonly metadata?: string
  /** BSON each. */
  readonly documents: readonly Uint8Array[]
}

/** Options of {@link writeArchive}. */
export interface WriteArchiveOptions {
  readonly collections: readonly ArchiveFixture[]
  readonly oplog?: readonly Uint8Array[]
  readonly serverVersion?: string
  readonly version?: string
  /** Documents of a block, after which another collection has its turn, as with several at once. Default: all. */
  readonly blockSize?: number
}

const magic = Buffer.from('6de29981', 'hex')
const end = Buffer.from('ffffffff', 'hex')

/** Writes an archive. */
export function writeArchive(options: WriteArchiveOptions): Buffer {
  const { collections, oplog, serverVersion = '7.0.42', version = '0.1', blockSize = Infinity } = options
  const all = [...collections, ...(oplog ? [{ database: '', collection: 'oplog', documents: oplog }] : [])]
  const pieces: Uint8Array[] = [
    magic,
    serialize({
      concurrent_collections: new Int32(4),
      version,
      server_version: serverVersion,
      tool_version: '100.10.0',
    }),
    ...all.map(announcement),
    end,
  ]
  let open = all.map((fixture) => ({ fixture, rest: [...fixture.documents] }))
  while (open.length > 0) {
    for (const { fixture, rest } of open) {
      const { database, collection } = dataOf(fixture)
      const header = { db: database, collection, EOF: false, CRC: Long.ZERO }
      pieces.push(serialize(header), ...rest.splice(0, blockSize), end)
      if (rest.length > 0) continue
      const sum = Long.fromBigInt(slowCrc64(Buffer.concat(fixture.documents)))
      pieces.push(serialize({ ...header, EOF: true, CRC: sum }), end)
    }
    open = open.filter(({ rest }) => rest.length > 0)
  }
  return Buffer.concat(pieces)
}

function announcement(fixture: ArchiveFixture): Uint8Array {
  const { database, collection, type, metadata } = fixture
  const indexes = `{"indexes":[{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"}],"collectionName":"${collection}","type":"collection"}`
  return serialize({
    db: database,
    collection,
    metadata: metadata ?? (database === '' ? '' : indexes),
    size: new Int32(0),
    type: type ?? (database === '' ? '' : 'collection'),
  })
}

function dataOf({ database, collection, type }: ArchiveFixture): {
  readonly database: string
  readonly collection: string
} {
  return { database, collection: type === 'timeseries' ? `system.buckets.${collection}` : collection }
}

/** Documents with the numbers 0, 1, 2 … */
export function numbered(count: number, more: Document = {}): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, n) => serialize({ _id: n, ...more }))
}

/** Bit by bit, as it is defined. */
export function slowCrc64(bytes: Uint8Array): bigint {
  const polynomial = 0xc96c5795d7870f42n
  let crc = 0xffffffffffffffffn
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n
  }
  return BigInt.asIntN(64, crc ^ 0xffffffffffffffffn)
}

/** What mongodump 100.10.0 wrote of a FerretDB 1.24: `shop.empty`, `shop.orders` (5 documents), `shop.users` (2). */
export function realArchive(): Buffer {
  return readFileSync(join(import.meta.dirname, 'mongodump-100.10.0.archive'))
}

/** What an archive holds, by namespace, in bytes of documents: read at one go, to hold the parser against. */
export function readArchive(archive: Buffer): ReadonlyMap<string, readonly Uint8Array[]> {
  if (!archive.subarray(0, 4).equals(magic)) throw new Error('stream or file does not appear to be a mongodump archive')
  let at = 4
  const next = (): Uint8Array | undefined => {
    const length = archive.readInt32LE(at)
    at += length === -1 ? 4 : length
    if (at > archive.length) throw new Error('corruption found in archive')
    return length === -1 ? undefined : archive.subarray(at - length, at)
  }
  const all = new Map<string, Uint8Array[]>()
  next()
  for (let each = next(); each; each = next()) {
    const { db, collection, type } = deserialize(each)
    all.set(`${db}.${type === 'timeseries' ? 'system.buckets.' : ''}${collection}`, [])
  }
  while (at < archive.length) {
    const { db, collection } = deserialize(next() ?? new Uint8Array())
    for (let each = next(); each; each = next()) all.get(`${db}.${collection}`)?.push(each)
  }
  return all
}

/** A document with a value of every type of BSON, those among them that the kit's server does not store. */
export function everyType(): Uint8Array {
  return serialize({
    double: new Double(1.5),
    notANumber: NaN,
    text: 'ä\u0000€',
    document: { a: { b: {} } },
    array: [1, [2], {}],
    binary: new Binary(Buffer.from([255, 255, 255, 255])),
    uuid: new Binary(Buffer.alloc(16, 3), 4),
    undefined: undefined,
    id: new ObjectId('65a000000000000000000a00'),
    yes: true,
    date: new Date(-1),
    nothing: null,
    regex: new BSONRegExp('^a', 'i'),
    pointer: new DBRef('orders', new ObjectId('65a000000000000000000a01')),
    code: new Code('() => 1'),
    scoped: new Code('() => x', { x: 1 }),
    symbol: new BSONSymbol('s'),
    int: new Int32(-1),
    time: new Timestamp({ t: 4_294_967_295, i: 4_294_967_295 }),
    long: Long.MAX_VALUE,
    decimal: Decimal128.fromString('1.000000000000000000000000000000001'),
    least: new MinKey(),
    most: new MaxKey(),
  })
}
