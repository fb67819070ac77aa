// The payload of age's format v1: ChaCha20-Poly1305 over pieces of 64 KiB, each with a nonce of its own that counts and
// says which piece is the last. Node's cipher is more than five times as fast as one in JavaScript (docs/adr/0017).
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { Bytes } from '@holdfast/sdk'

/** Bytes between the header and the first piece. */
export const payloadNonceSize = 16

const cipher = 'chacha20-poly1305'
const pieceSize = 64 * 1024
const tagSize = 16
const sealedSize = pieceSize + tagSize
/** Pieces that are handled at once: calls and writes of 1 MiB, not of 64 KiB. */
const pieces = 16

/**
 * The key of a payload.
 *
 * @param fileKey - what the header holds, once for each recipient
 * @param nonce - the 16 bytes before the payload
 */
export function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', fileKey, nonce, 'payload', 32))
}

/**
 * Encrypts a payload.
 *
 * @param release - is given each chunk of the source when it isn't needed any more
 */
export async function* sealPayload(
  key: Uint8Array,
  source: Bytes,
  release: (chunk: Uint8Array) => void = () => {},
): AsyncGenerator<Uint8Array> {
  let counter = 0
  for await (const { block, isLast } of inBlocks(source, pieces * pieceSize, release)) {
    const count = Math.max(1, Math.ceil(block.byteLength / pieceSize))
    const sealed = Buffer.allocUnsafeSlow(block.byteLength + count * tagSize)
    for (let n = 0; n < count; n++) {
      const nonce = pieceNonce(counter++, isLast && n === count - 1)
      const encrypting = createCipheriv(cipher, key, nonce, { authTagLength: tagSize })
      const piece = encrypting.update(block.subarray(n * pieceSize, (n + 1) * pieceSize))
      encrypting.final()
      sealed.set(piece, n * sealedSize)
      sealed.set(encrypting.getAuthTag(), n * sealedSize + piece.byteLength)
    }
    yield sealed
  }
}

/**
 * Decrypts a payload. What is handed out is authentic; the whole of it is only when the end comes without an error.
 *
 * @throws Error for a payload that was changed or cut off
 */
export async function* openPayload(key: Uint8Array, source: Bytes): AsyncGenerator<Uint8Array> {
  let counter = 0
  for await (const { block, isLast } of inBlocks(source, pieces * sealedSize)) {
    const count = Math.max(1, Math.ceil(block.byteLength / sealedSize))
    const opened = Buffer.allocUnsafeSlow(Math.max(0, block.byteLength - count * tagSize))
    for (let n = 0; n < count; n++) {
      const isEnd = isLast && n === count - 1
      const sealed = block.subarray(n * sealedSize, (n + 1) * sealedSize)
      const size = sealed.byteLength - tagSize
      // Nothing but an empty file ends in an empty piece.
      if (size < 0 || (size === 0 && counter > 0)) throw new Error('its encrypted payload is cut off')
      const decrypting = createDecipheriv(cipher, key, pieceNonce(counter++, isEnd), { authTagLength: tagSize })
      decrypting.setAuthTag(sealed.subarray(size))
      const piece = decrypting.update(sealed.subarray(0, size))
      try {
        decrypting.final()
      } catch (error) {
        const where = `piece ${counter} of 64 KiB`
        throw new Error(`its encrypted payload was changed or cut off: ${where} is not authentic`, { cause: error })
      }
      opened.set(piece, n * pieceSize)
    }
    yield opened
  }
}

/** Eleven bytes of counter, and whether it is the last. */
function pieceNonce(counter: number, isLast: boolean): Uint8Array {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(counter, 5, 6)
  nonce.writeUInt8(isLast ? 1 : 0, 11)
  return nonce
}

/**
 * A stream in blocks of one size; the last one may be shorter, and is empty only where there is nothing at all. A block
 * is good until the next one is asked for.
 */
async function* inBlocks(
  source: Bytes,
  size: number,
  release: (chunk: Uint8Array) => void = () => {},
): AsyncGenerator<{ readonly block: Buffer; readonly isLast: boolean }> {
  const held = Buffer.allocUnsafeSlow(size)
  let used = 0
  for await (const chunk of source) {
    for (let rest = chunk; rest.byteLength > 0;) {
      // Only now is it certain that this is not the last one.
      if (used === size) {
        yield { block: held, isLast: false }
        used = 0
      }
      const part = rest.subarray(0, size - used)
      held.set(part, used)
      used += part.byteLength
      rest = rest.subarray(part.byteLength)
    }
    release(chunk)
  }
  yield { block: held.subarray(0, used), isLast: true }
}
