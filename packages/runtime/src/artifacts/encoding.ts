// How an artifact's bytes are stored: compressed, then encrypted. Streams of any length in bounded memory.
import { pipeline, type Transform } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'
import type { Bytes, Encoding } from '@holdfast/sdk'
import type { ResolvedEncoding } from '../load/resolved.ts'
import { openEncrypter, decrypt } from './age.ts'
import { free } from './free.ts'
import { compressZstd, decompressZstd } from './zstd.ts'

/** An encoding that is ready for a stream. */
export interface Encoder {
  /** What is applied, in this order. */
  readonly applied: readonly Encoding[]
  /** @param release - is given each chunk of the source that isn't needed any more; some never are */
  encode(source: Bytes, release?: (chunk: Uint8Array) => void): Bytes
}

/**
 * Prepares an encoding, so that a wrong recipient is known before anything is written.
 *
 * @throws HoldfastError `ENCODING_INVALID`
 */
export async function openEncoder({ compression, recipients }: Omit<ResolvedEncoding, 'identity'>): Promise<Encoder> {
  const steps: { readonly name: Encoding; readonly apply: Encoder['encode'] }[] = []
  if (compression === 'zstd') steps.push({ name: 'zstd', apply: compressZstd })
  if (compression === 'gzip') steps.push({ name: 'gzip', apply: (source) => through(source, createGzip) })
  if (recipients.length > 0) steps.push({ name: 'age', apply: await openEncrypter(recipients) })
  return {
    applied: steps.map(({ name }) => name),
    encode(source, release) {
      return steps.reduce((bytes, { apply }, index) => {
        const before = steps[index - 1]?.name
        return apply(bytes, before === undefined ? release : before === 'zstd' ? freeFrame : undefined)
      }, source)
    },
  }
}

/** A frame is nobody else's; but the smallest ones share the memory of small buffers. */
function freeFrame(frame: Uint8Array): void {
  if (frame.buffer.byteLength > Buffer.poolSize) free(frame)
}

/** What decoding needs. */
export interface DecodeOptions {
  /** As texts, see {@link decrypt}. */
  readonly identities: readonly string[]
  /** For messages. */
  readonly artifact: string
}

/**
 * Takes encodings back.
 *
 * @throws HoldfastError `ARTIFACT_DECRYPT`; a plain Error for bytes that can't be decoded
 */
export function decode(source: Bytes, applied: readonly Encoding[], options: DecodeOptions): Bytes {
  return applied.toReversed().reduce<Bytes>((bytes, encoding) => decoders[encoding](bytes, options), source)
}

const decoders: { readonly [Name in Encoding]: (source: Bytes, options: DecodeOptions) => Bytes } = {
  zstd: decompressZstd,
  gzip: (source) => through(source, createGunzip),
  age: (source, { identities, artifact }) => decrypt(source, identities, artifact),
}

async function* through(
  source: Bytes,
  create: (options: { chunkSize: number }) => Transform,
): AsyncGenerator<Uint8Array> {
  const transform = create({ chunkSize: 256 * 1024 })
  // Errors of either side come out of the iteration.
  pipeline(source, transform, () => {})
  yield* transform as AsyncIterable<Uint8Array>
}
