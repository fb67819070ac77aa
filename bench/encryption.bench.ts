// What encryption costs: age beside zstd, and beside the same format by the library's cipher in JavaScript.
import type { Bytes } from '@holdfast/sdk'
import { Decrypter, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { decode, openEncoder, type Encoder } from '../packages/runtime/src/artifacts/encoding.ts'
import { rowBlockSize, rows } from './rows.ts'
import { median, type Result } from './result.ts'

const size = 256 * 2 ** 20
const rounds = 9

/** Measures in turns, in memory: nothing is written or hashed. Needs 400 MiB. */
export async function run(): Promise<Result[]> {
  const content = take(size)
  const identity = await generateIdentity()
  const recipient = await identityToRecipient(identity)
  const age = await openEncoder({ compression: 'none', recipients: [recipient] })
  const zstd = await openEncoder({ compression: 'zstd', recipients: [] })
  const both = await openEncoder({ compression: 'zstd', recipients: [recipient] })
  const encrypted = await collect(age.encode(inBlocks(content)))
  const speedOf = (encoder: Encoder): Promise<number> => speed(() => encoder.encode(inBlocks(content)))

  const samples: { [Name in Measured]: number }[] = []
  // The first round only warms up.
  for (let round = 0; round <= rounds; round += 1) {
    const measures: readonly (readonly [Measured, () => Promise<number>])[] = [
      ['age', () => speedOf(age)],
      ['library', () => speed(() => encryptByLibrary(recipient, content.slice(0, content.length / 4)), size / 4)],
      ['zstd', () => speedOf(zstd)],
      ['both', () => speedOf(both)],
      ['read', () => speed(() => decode(each(encrypted), ['age'], { identities: [identity], artifact: 'bench' }))],
      ['libraryRead', () => speed(() => decryptByLibrary(identity, encrypted))],
    ]
    const sample = { age: 0, library: 0, zstd: 0, both: 0, read: 0, libraryRead: 0 }
    for (const [name, measure] of round % 2 === 0 ? measures : measures.toReversed()) sample[name] = await measure()
    if (round > 0) samples.push(sample)
  }
  const of = (pick: (sample: (typeof samples)[number]) => number): number => median(samples.map(pick))
  const mb = (name: Measured): string => `${of((sample) => sample[name]).toFixed(0)} MB/s`
  const written = of((sample) => sample.age / sample.library)
  const read = of((sample) => sample.read / sample.libraryRead)
  return [
    {
      name: "age, encrypting: speed against the library's cipher in JavaScript",
      ratio: written,
      bar: '≥ 4×',
      pass: written >= 4,
      note: `${mb('age')} and ${mb('library')}; the same format, the header by the library`,
    },
    {
      name: "age, decrypting: speed against the library's cipher in JavaScript",
      ratio: read,
      bar: '≥ 4×',
      pass: read >= 4,
      note: `${mb('read')} and ${mb('libraryRead')}`,
    },
    {
      name: 'age / zstd: MB/s of what goes in',
      ratio: of((sample) => sample.age / sample.zstd),
      bar: 'reported',
      pass: true,
      note: `${mb('age')} and ${mb('zstd')}; one thread encrypts, three compress`,
    },
    {
      name: 'zstd, then age / zstd alone: MB/s of what goes in',
      ratio: of((sample) => sample.both / sample.zstd),
      bar: 'reported',
      pass: true,
      note: `${mb('both')} and ${mb('zstd')}; half of it is left to encrypt`,
    },
  ]
}

type Measured = 'age' | 'library' | 'zstd' | 'both' | 'read' | 'libraryRead'

function take(bytes: number): readonly Buffer[] {
  const blocks: Buffer[] = []
  for (const block of rows()) {
    if (blocks.length * rowBlockSize >= bytes) break
    blocks.push(block)
  }
  return blocks
}

/** As the store hands them to an encoder: a MiB each. */
async function* inBlocks(content: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  for (const block of content) for (let at = 0; at < block.length; at += 2 ** 20) yield block.subarray(at, at + 2 ** 20)
}

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

async function* encryptByLibrary(recipient: string, content: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.addRecipient(recipient)
  yield* await encrypter.encrypt(ReadableStream.from(inBlocks(content)))
}

async function* decryptByLibrary(identity: string, chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(identity)
  yield* await decrypter.decrypt(ReadableStream.from(each(chunks)))
}

async function collect(bytes: Bytes): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return chunks
}

/** MB a second. */
async function speed(open: () => Bytes, bytes = size): Promise<number> {
  const began = performance.now()
  let made = 0
  for await (const chunk of open()) made += chunk.byteLength
  if (made === 0) throw new Error('nothing came out')
  return bytes / 1000 / (performance.now() - began)
}
