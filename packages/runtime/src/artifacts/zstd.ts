// zstd with independent frames: each block of the input becomes a frame of its own, and several are made and read at
// once on the thread pool. A file of frames is a valid .zst file for every other reader.
//
// node:zlib's own ways are not taken, because both lose data without an error (Node 24.21): its stream compressor with
// ZSTD_c_nbWorkers ends as soon as the workers have nothing to hand out yet, and its decompressors stop after the first
// frame.
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import type { Bytes } from '@holdfast/sdk'
import { blockSize } from './block-sink.ts'
import { free } from './free.ts'
import { mapInOrder } from './in-order.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** Frames made or read at once; libuv's pool has four threads, and the others are for files. */
const parallel = 3

/** Nothing that is larger was written by us: bounds the memory that a damaged or foreign file can take. */
const longestFrame = 64 * 1024 * 1024

/** Room for one of our own frames, decompressed, and a little more: a buffer that is just full is followed by another. */
const usualFrame = blockSize + 4096

/**
 * Compresses at level 3, with a checksum in each frame. Every chunk of the source becomes a frame.
 *
 * @param release - is given each chunk when it isn't needed any more
 */
export async function* compressZstd(
  source: Bytes,
  release: (chunk: Uint8Array) => void = () => {},
): AsyncGenerator<Uint8Array> {
  let frames = 0
  let longest = 64 * 1024
  const compressNext = async (block: Uint8Array): Promise<Uint8Array> => {
    // Room for a frame like the last ones, so that it is made in one call; more is added where that isn't enough.
    const frame = await compressFrame(block, longest + (longest >> 3))
    longest = Math.max(frame.byteLength, longest - (longest >> 4))
    release(block)
    return frame
  }
  for await (const frame of mapInOrder(source, parallel, compressNext)) {
    frames++
    yield frame
  }
  if (frames === 0) yield await compressFrame(new Uint8Array(), 1024)
}

function compressFrame(block: Uint8Array, chunkSize: number): Promise<Uint8Array> {
  return compress(block, {
    chunkSize,
    // Smaller tables for a small frame, and its size in its header.
    pledgedSrcSize: block.byteLength,
    params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
  })
}

/**
 * Decompresses any number of frames. Every chunk has memory of its own.
 *
 * @throws Error on damaged, cut or foreign data
 */
export async function* decompressZstd(source: Bytes): AsyncGenerator<Uint8Array> {
  yield* mapInOrder(splitFrames(source), parallel, async (frame) => {
    const bytes = await decompress(frame, { chunkSize: usualFrame, maxOutputLength: longestFrame })
    free(frame)
    return bytes
  })
}

/** Each frame in memory of its own. */
async function* splitFrames(source: Bytes): AsyncGenerator<Buffer> {
  // One buffer that is used again and again: joining chunks anew would leave megabytes to the collector for each.
  let held = Buffer.allocUnsafeSlow(2 * usualFrame)
  let used = 0
  let frames = 0
  for await (const chunk of source) {
    if (used + chunk.length > held.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (used + chunk.length))
      held.copy(larger, 0, 0, used)
      free(held)
      held = larger
    }
    held.set(chunk, used)
    used += chunk.length
    let at = 0
    for (;;) {
      const rest = held.subarray(at, used)
      const length = frameLength(rest)
      if (length === undefined || length > rest.length) break
      at += length
      frames++
      if (isSkippable(rest)) continue
      const frame = Buffer.allocUnsafeSlow(length)
      rest.copy(frame)
      yield frame
    }
    held.copyWithin(0, at, used)
    used -= at
    if (used > longestFrame) throw new Error(`a zstd frame is longer than ${longestFrame} bytes`)
  }
  free(held)
  if (used > 0 || frames === 0) throw new Error('it ends before a zstd frame does')
}

function isSkippable(frame: Buffer): boolean {
  return frame.readUInt32LE(0) >>> 4 === 0x184d2a5
}

/** The length of the frame at the start, after RFC 8878; `undefined` when more bytes are needed to tell. */
function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 8) return undefined
  if (isSkippable(bytes)) return 8 + bytes.readUInt32LE(4)
  if (bytes.readUInt32LE(0) !== 0xfd2fb528) throw new Error('it is not zstd')
  const descriptor = bytes.readUInt8(4)
  const singleSegment = (descriptor >> 5) & 1
  const contentSizeBytes = [singleSegment, 2, 4, 8][descriptor >> 6] ?? 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  let at = 5 + (1 - singleSegment) + dictionaryBytes + contentSizeBytes
  for (let last = false; !last;) {
    if (at + 3 > bytes.length) return undefined
    const header = bytes.readUIntLE(at, 3)
    const type = (header >> 1) & 3
    if (type === 3) throw new Error('a zstd block has an unknown type')
    last = (header & 1) === 1
    at += 3 + (type === 1 ? 1 : header >> 3)
  }
  return at + ((descriptor >> 2) & 1) * 4
}
