// Our payload against the library's own: files of either are read by the other, whatever their size and chunks.
import { createCipheriv, randomBytes } from 'node:crypto'
import { Decrypter, Encrypter, generateHybridIdentity, generateIdentity, identityToRecipient } from 'age-encryption'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openEncrypter, decrypt } from '../../src/artifacts/age.ts'
import { payloadKey } from '../../src/artifacts/age-payload.ts'
import { collect, failure } from './support.ts'

const identity = await generateIdentity()
const recipient = await identityToRecipient(identity)
const piece = 64 * 1024
const block = 16 * piece
/** Around the ends of pieces, and of what is handled at once. */
const sizes = [0, 1, piece - 1, piece, piece + 1, 2 * piece, block - 1, block, block + 1, block + piece, 2 * block]

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield Uint8Array.from(bytes.subarray(at, at + size))
}

async function ours(content: Uint8Array, chunk: number, to: readonly string[] = [recipient]): Promise<Buffer> {
  const encrypt = await openEncrypter(to)
  return Buffer.concat(await collect(encrypt(inChunks(content, chunk))))
}

async function read(file: Uint8Array, chunk: number, by = identity): Promise<Buffer> {
  return Buffer.concat(await collect(decrypt(inChunks(file, chunk), [by], 'a')))
}

async function theirs(content: Uint8Array): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.addRecipient(recipient)
  return encrypter.encrypt(content)
}

async function readByThem(file: Uint8Array, by = identity): Promise<Uint8Array> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(by)
  return decrypter.decrypt(file)
}

test.each(sizes)('%d bytes: both ways, and as long as the format says', async (size) => {
  const content = randomBytes(size)
  const file = await ours(content, 100_000)
  expect(Buffer.from(await readByThem(file)).equals(content)).toBe(true)
  expect((await read(file, 70_000)).equals(content)).toBe(true)
  const other = await theirs(content)
  expect((await read(other, 70_000)).equals(content)).toBe(true)
  expect(file.length).toBe(other.length)
})

test('any size in any chunks', async () => {
  const bytes = randomBytes(3 * block)
  const size = fc.oneof(fc.constantFrom(...sizes), fc.integer({ min: 0, max: bytes.length }))
  const chunk = fc.integer({ min: 3000, max: 2 * block })
  await fc.assert(
    fc.asyncProperty(size, chunk, chunk, async (length, written, readIn) => {
      const content = bytes.subarray(0, length)
      expect((await read(await ours(content, written), readIn)).equals(content)).toBe(true)
    }),
    { numRuns: 30 },
  )
})

test('a header may come byte by byte, and be long', async () => {
  const hybrid = await generateHybridIdentity()
  const to = [...Array.from({ length: 40 }, () => recipient), await identityToRecipient(hybrid)]
  const file = await ours(Buffer.from('short'), 5, to)
  expect((await read(file, 1, hybrid)).toString()).toBe('short')
  expect(Buffer.from(await readByThem(file, hybrid)).toString()).toBe('short')
  const header = file.toString('latin1').slice(0, file.indexOf('\n---'))
  expect(header.match(/^-> X25519 /gm)).toHaveLength(40)
  expect(header.match(/^-> /gm)).toHaveLength(41)
})

test('two files of the same bytes share neither key nor nonce', async () => {
  const content = Buffer.alloc(200_000)
  const encrypt = await openEncrypter([recipient])
  const [one, two] = await Promise.all([1, 2].map(() => collect(encrypt(inChunks(content, 50_000)))))
  expect(one?.[0]).not.toEqual(two?.[0])
  expect(Buffer.concat(one?.slice(1) ?? []).subarray(0, 64)).not.toEqual(
    Buffer.concat(two?.slice(1) ?? []).subarray(0, 64),
  )
})

describe('what was tampered with is told, by us as by the library', () => {
  const content = randomBytes(block + 2 * piece + 500)
  const sealed = piece + 16
  const payloadOf = (file: Buffer): number => file.indexOf('\n', file.indexOf('\n--- ') + 1) + 1 + 16
  const cases: readonly [string, (file: Buffer, at: number) => Buffer][] = [
    ['cut off within a piece', (file) => file.subarray(0, file.length - 1)],
    ['cut off between pieces', (file, at) => file.subarray(0, at + 2 * sealed)],
    ['cut off between blocks', (file, at) => file.subarray(0, at + 16 * sealed)],
    ['cut off before the first piece', (file, at) => file.subarray(0, at)],
    ['cut off in its nonce', (file, at) => file.subarray(0, at - 3)],
    ['with two pieces exchanged', (file, at) => swapped(file, at, at + sealed, sealed)],
    ['with bytes behind its end', (file) => Buffer.concat([file, Buffer.from('x')])],
    ['with a piece twice', (file, at) => Buffer.concat([file.subarray(0, at + sealed), file.subarray(at)])],
    ['with an end that is empty', (file, at) => file.subarray(0, at + 17 * sealed + 16)],
    ['with another nonce', (file, at) => flipped(file, at - 1)],
    ['with another header', (file) => flipped(file, file.indexOf('-> X25519') + 12)],
  ]
  test.each(cases)('%s', async (_name, change) => {
    const file = await ours(content, 100_000)
    const changed = change(Buffer.from(file), payloadOf(file))
    await expect(read(changed, 100_000)).rejects.toThrow(/encrypted payload|cannot be decrypted/)
    await expect(readByThem(changed)).rejects.toThrow(Error)
  })
})

test('an authentic end without bytes is refused as the format asks, by us as by the library', async () => {
  const file = await ours(new Uint8Array(), 1)
  const end = file.indexOf('\n', file.indexOf('\n--- ') + 1) + 1
  const [header, nonce] = [file.subarray(0, end), file.subarray(end, end + 16)]
  const decrypter = new Decrypter()
  decrypter.addIdentity(identity)
  const key = payloadKey(await decrypter.decryptHeader(header), nonce)
  const seal = (bytes: Uint8Array, counter: number, last: number): Buffer => {
    const pieceNonce = Buffer.alloc(12)
    pieceNonce.set([counter, last], 10)
    const cipher = createCipheriv('chacha20-poly1305', key, pieceNonce, { authTagLength: 16 })
    const sealed = Buffer.concat([cipher.update(bytes), cipher.final()])
    return Buffer.concat([sealed, cipher.getAuthTag()])
  }
  const whole = Buffer.concat([header, nonce, seal(Buffer.alloc(piece), 0, 1)])
  expect(await read(whole, 70_000)).toHaveLength(piece)
  const odd = Buffer.concat([header, nonce, seal(Buffer.alloc(piece), 0, 0), seal(new Uint8Array(), 1, 1)])
  await expect(read(odd, 70_000)).rejects.toThrow('cut off')
  await expect(readByThem(odd)).rejects.toThrow('final chunk is empty')
})

function swapped(file: Buffer, a: number, b: number, size: number): Buffer {
  const [first, second] = [Buffer.from(file.subarray(a, a + size)), Buffer.from(file.subarray(b, b + size))]
  second.copy(file, a)
  first.copy(file, b)
  return file
}

function flipped(file: Buffer, at: number): Buffer {
  file[at] = (file[at] ?? 0) ^ 1
  return file
}

test('what is no age file, or has no end of a header, is said and not read for ever', async () => {
  let taken = 0
  async function* endless(first: string): AsyncGenerator<Uint8Array> {
    yield Buffer.from(first)
    for (;;) yield Buffer.alloc(++taken && 100_000, 'A')
  }
  for (const first of ['PK\u0003\u0004 no age at all, really', 'age-encryption.org/v1\n-> X25519 A\n']) {
    const error = await failure(collect(decrypt(endless(first), [identity], 'a')))
    expect(error).toMatchObject({ code: 'ARTIFACT_DECRYPT', details: { reason: expect.stringContaining('header') } })
  }
  expect(taken).toBeLessThan(20)
})
