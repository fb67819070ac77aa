// What save_artifact (apps/sidecar/bin/save_artifact.js) and the run say to each other over a socket of the run.
//
// A frame is one byte of type, four bytes of length (big-endian) and so many bytes.
//   client → run   H  hello: JSON { version, token, name, pid }  run → client   G  go on: send the bytes
//                  D  data                                                    S  stored
//                  E  end: how many bytes there were (8 bytes)                F  failed: why (UTF-8); the last frame
//                  X  given up: why (UTF-8); instead of E
// Only E ends an artifact. A connection that closes before it is a client that was killed, never the end of the data.

/** Version of the protocol. */
export const protocolVersion = 1

/** A whole frame. */
export type Frame = { readonly type: string; readonly payload: Buffer }

const headerSize = 5
const longestPayload = 64 * 1024

/** Encodes one frame. */
export function encodeFrame(type: string, payload: Uint8Array | string = ''): Buffer {
  const body = Buffer.from(payload)
  const header = Buffer.alloc(headerSize)
  header.write(type, 0, 1, 'latin1')
  header.writeUInt32BE(body.length, 1)
  return Buffer.concat([header, body])
}

/**
 * Decodes a stream of frames: data comes piece by piece as it arrives, every other frame as a whole.
 *
 * A frame that the end of the stream cuts off is dropped: only an end frame ends an artifact.
 *
 * @throws Error when a frame is not what a client of ours would send
 */
export async function* decodeFrames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let pending: Buffer = Buffer.alloc(0)
  let data = 0
  for await (const chunk of stream) {
    let bytes: Buffer = pending.length === 0 ? asBuffer(chunk) : Buffer.concat([pending, chunk])
    while (bytes.length > 0) {
      if (data > 0) {
        const payload = bytes.subarray(0, data)
        data -= payload.length
        bytes = bytes.subarray(payload.length)
        yield { type: 'D', payload }
        continue
      }
      if (bytes.length < headerSize) break
      const type = bytes.toString('latin1', 0, 1)
      const length = bytes.readUInt32BE(1)
      if (type === 'D') {
        data = length
        bytes = bytes.subarray(headerSize)
        continue
      }
      if (length > longestPayload) throw new Error(`a frame of type ${JSON.stringify(type)} is ${length} bytes long`)
      if (bytes.length < headerSize + length) break
      yield { type, payload: bytes.subarray(headerSize, headerSize + length) }
      bytes = bytes.subarray(headerSize + length)
    }
    pending = bytes
  }
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}
