// The archive format: real archives, hand-made ones, and damaged ones.
import { gzipSync } from 'node:zlib'
import { Binary, serialize } from 'bson'
import { expect, test } from 'vitest'
import { createArchiveCheck } from '../../src/archive/check.ts'
import { createCrc64 } from '../../src/archive/crc64.ts'
import { readPrelude } from '../../src/archive/read-prelude.ts'
import { createStreamCheck } from '../../src/archive/stream-check.ts'
import type { ArchiveSummary } from '../../src/archive/summary.ts'
import { everyType, numbered, readArchive, realArchive, slowCrc64, writeArchive } from '../support/archive.ts'

function check(archive: Uint8Array, pieces = archive.length): ArchiveSummary {
  const checking = createArchiveCheck()
  for (let at = 0; at < archive.length; at += pieces) checking.push(archive.subarray(at, at + pieces))
  return checking.end()
}

const counts = ({ collections }: ArchiveSummary): Readonly<Record<string, number>> =>
  Object.fromEntries(collections.map(({ database, collection, documents }) => [`${database}.${collection}`, documents]))

const two = (): Buffer =>
  writeArchive({
    collections: [
      { database: 'shop', collection: 'orders', documents: numbered(20, { text: 'x'.repeat(30) }) },
      { database: 'shop', collection: 'users', documents: numbered(7) },
    ],
    blockSize: 3,
  })

test('an archive of the real mongodump, however it is cut into chunks', () => {
  const archive = realArchive()
  for (const pieces of [archive.length, 1, 2, 3, 4, 5, 7, 64, 1000]) {
    const summary = check(archive, pieces)
    expect(counts(summary)).toEqual({ 'shop.empty': 0, 'shop.orders': 5, 'shop.users': 2 })
    expect(summary).toMatchObject({
      version: '0.1',
      serverVersion: '7.0.42',
      toolVersion: '100.10.0',
      concurrentCollections: 4,
      documents: 7,
      bytes: archive.length,
      oplog: undefined,
    })
  }
})

test('a hand-made archive is one as mongodump writes them', () => {
  const archive = realArchive()
  const documents = readArchive(archive)
  const copy = writeArchive({
    collections: [...documents].map(([namespace, each]) => ({
      database: 'shop',
      collection: namespace.slice('shop.'.length),
      documents: each,
    })),
  })
  // All after the list of collections, whose identifiers are the server's, in whatever order its collections came.
  const blocks = (of: Buffer): readonly string[] => {
    const { preludeBytes } = check(of)
    return of.subarray(preludeBytes).toString('hex').split('ffffffff').toSorted()
  }
  expect(blocks(copy)).toEqual(blocks(archive))
})

test('collections in turns, views, time series and the oplog', () => {
  const archive = writeArchive({
    collections: [
      { database: 'shop', collection: 'orders', documents: numbered(100) },
      { database: 'shop', collection: 'cheap', type: 'view', documents: [] },
      { database: 'shop', collection: 'weather', type: 'timeseries', documents: numbered(4) },
      { database: 'admin', collection: 'system.users', documents: numbered(1) },
    ],
    oplog: numbered(3),
    blockSize: 9,
  })
  for (const pieces of [archive.length, 11]) {
    const summary = check(archive, pieces)
    expect(counts(summary)).toEqual({ 'shop.orders': 100, 'shop.cheap': 0, 'shop.weather': 4, 'admin.system.users': 1 })
    expect(summary.collections.map(({ type }) => type)).toEqual(['collection', 'view', 'timeseries', 'collection'])
    expect(summary).toMatchObject({ documents: 105, oplog: { documents: 3 } })
  }
})

test('every type of BSON, those among them that the kit’s server does not store, and documents as large as they get', () => {
  const everything = everyType()
  const archive = writeArchive({
    collections: [{ database: 'all', collection: 'types', documents: [everything, serialize({})] }],
  })
  expect(counts(check(archive, 5))).toEqual({ 'all.types': 2 })
  // Not whole: its checksum, bit by bit, would take long.
  const largest = serialize({ bytes: new Binary(Buffer.alloc(16 * 2 ** 20 - 17)) })
  expect(largest.length).toBe(16 * 2 ** 20)
  const checking = createArchiveCheck()
  const open = writeArchive({ collections: [{ database: 'all', collection: 'large', documents: numbered(1) }] })
  const document = numbered(1)[0] as Uint8Array
  const at = open.indexOf(document)
  checking.push(open.subarray(0, at))
  for (let from = 0; from < largest.length; from += 100_000) checking.push(largest.subarray(from, from + 100_000))
  expect(checking.documents).toBe(1)
  const larger = Buffer.alloc(4)
  larger.writeInt32LE(largest.length + 1)
  expect(() => checking.push(larger)).toThrow('which is neither a length nor an end')
})

test('fault F46: an archive that ends at any byte before its last is refused', () => {
  const archive = two()
  expect(counts(check(archive))).toEqual({ 'shop.orders': 20, 'shop.users': 7 })
  for (let length = 0; length < archive.length; length++) {
    expect(() => check(archive.subarray(0, length)), `cut off after ${length}`).toThrow(
      /no bytes|cut off|without the end of/,
    )
  }
})

test('an archive with any byte of a document changed is refused', () => {
  const archive = two()
  const documents = [...readArchive(archive).values()].flat()
  expect(documents).toHaveLength(27)
  for (const document of documents) {
    for (let at = 0; at < document.length; at++) {
      const before = document[at] as number
      document[at] = before ^ 0x10
      expect(() => check(archive), `byte ${at} of a document`).toThrow(
        /is damaged|neither a length|without an end|cut off|after its end/,
      )
      document[at] = before
    }
  }
  expect(check(archive)).toMatchObject({ documents: 27 })
})

test('what mongodump would not write is refused', () => {
  const one = writeArchive({ collections: [{ database: 'a', collection: 'b', documents: numbered(2) }] })
  const { preludeBytes } = check(one)
  const prelude = one.subarray(0, preludeBytes)
  const blocks = one.subarray(preludeBytes)
  const other = writeArchive({ collections: [{ database: 'a', collection: 'c', documents: numbered(2) }] })
  const foreign = other.subarray(check(other).preludeBytes)
  const newer = writeArchive({ collections: [], version: '0.2' })
  expect(() => check(Buffer.from('BSON, but no archive'))).toThrow('does not begin as an archive of mongodump does')
  expect(() => check(gzipSync(one))).toThrow('does not begin as an archive of mongodump does')
  expect(() => check(newer)).toThrow('is of version 0.2; known is 0.1')
  expect(() => check(prelude)).toThrow('without the end of a.b')
  expect(() => check(Buffer.concat([one, foreign]))).toThrow("has documents of a.c, which its beginning doesn't name")
  expect(() => check(Buffer.concat([one, blocks]))).toThrow('has more of a.b after its end')
  expect(() => check(Buffer.concat([one, Buffer.from('ffffffff', 'hex')]))).toThrow('neither a length nor an end')
  expect(() => check(Buffer.concat([one, Buffer.alloc(3)]))).toThrow('cut off')
})

test('the checksum is that of Go’s hash/crc64 with the table of ECMA', () => {
  const crcOf = (bytes: Uint8Array, pieces = bytes.length): bigint => {
    const crc = createCrc64()
    for (let at = 0; at < bytes.length; at += pieces) crc.update(bytes, at, Math.min(at + pieces, bytes.length))
    return crc.value()
  }
  // The check value of CRC-64/XZ.
  expect(BigInt.asUintN(64, crcOf(Buffer.from('123456789')))).toBe(0x995dc9bbdf1939fan)
  const bytes = Buffer.from(Array.from({ length: 301 }, (_, index) => (index * 151) & 255))
  for (const pieces of [301, 1, 7, 8, 9, 100]) expect(crcOf(bytes, pieces)).toBe(slowCrc64(bytes))
})

test('what mongodump compressed is decompressed on the way, and its damage seen', async () => {
  const archive = gzipSync(two())
  const checkAll = async (bytes: Uint8Array, pieces: number): Promise<ArchiveSummary> => {
    const checking = createStreamCheck()
    for (let at = 0; at < bytes.length; at += pieces) await checking.write(bytes.subarray(at, at + pieces))
    return checking.end()
  }
  for (const pieces of [archive.length, 1, 13]) expect(await checkAll(archive, pieces)).toMatchObject({ documents: 27 })
  expect(await checkAll(two(), 10)).toMatchObject({ documents: 27 })
  await expect(checkAll(archive.subarray(0, -1), 100)).rejects.toThrow('is compressed, and that is damaged')
  const damaged = Buffer.from(archive)
  damaged[damaged.length - 6] = 0
  await expect(checkAll(damaged, 100)).rejects.toThrow('is compressed, and that is damaged')
  await expect(checkAll(gzipSync(two().subarray(0, 700)), 100)).rejects.toThrow('is cut off after 700 bytes')
})

test('the list of collections can be read alone, and is all that mongorestore needs for a dry run', async () => {
  const archive = two()
  const { preludeBytes } = check(archive)
  let read = 0
  async function* pieces(of: Buffer): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < of.length; at += 50) {
      read += 50
      yield of.subarray(at, at + 50)
    }
  }
  for (const of of [archive, gzipSync(archive)]) {
    const prelude = await readPrelude(pieces(of))
    expect(prelude).toMatchObject({
      serverVersion: '7.0.42',
      collections: [{ collection: 'orders' }, { collection: 'users' }],
      gzip: of !== archive,
    })
    expect(Buffer.from(prelude.bytes)).toEqual(archive.subarray(0, preludeBytes))
  }
  read = 0
  await readPrelude(pieces(archive))
  expect(read).toBeLessThan(archive.length / 2)
  await expect(readPrelude(pieces(archive.subarray(0, 100)))).rejects.toThrow('cut off in its list of collections')
})
