// age's format: the header, which holds the file's key once for each recipient, is made and read by the library; the
// payload, which is nearly all of a file, is our own (age-payload.ts).
import { randomBytes } from 'node:crypto'
import type { Bytes } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { openPayload, payloadKey, payloadNonceSize, sealPayload } from './age-payload.ts'

/** What a file begins with. */
const magic = Buffer.from('age-encryption.org/v1\n')

/** What is longer was not written by us: ten thousand recipients fit. */
const longestHeader = 1024 * 1024

/** What the library writes after the header of an empty file: a nonce, and the tag of a piece without bytes. */
const emptyPayloadSize = payloadNonceSize + 16

/**
 * Encrypts to every recipient.
 *
 * @param recipients - `age1…`
 * @returns the encryption, its recipients checked
 * @throws HoldfastError `ENCODING_INVALID`
 */
export async function openEncrypter(
  recipients: readonly string[],
): Promise<(source: Bytes, release?: (chunk: Uint8Array) => void) => Bytes> {
  const { Encrypter } = await import('age-encryption')
  for (const recipient of recipients) {
    try {
      new Encrypter().addRecipient(recipient)
    } catch (error) {
      throw errors.ENCODING_INVALID({ recipient, reason: reasonOf(error) }, { cause: error })
    }
  }
  return (source, release) => encrypt(recipients, source, release)
}

async function* encrypt(
  recipients: readonly string[],
  source: Bytes,
  release?: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  const { header, fileKey } = await makeHeader(recipients)
  const nonce = randomBytes(payloadNonceSize)
  yield Buffer.concat([header, nonce])
  yield* sealPayload(payloadKey(fileKey, nonce), source, release)
}

/** A header with a new key: that of an empty file, at whose making somebody listens who is no recipient. */
async function makeHeader(
  recipients: readonly string[],
): Promise<{ readonly header: Uint8Array; readonly fileKey: Uint8Array }> {
  const { Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  for (const recipient of recipients) encrypter.addRecipient(recipient)
  let fileKey: Uint8Array | undefined
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key)
      return []
    },
  })
  const empty = await encrypter.encrypt(new Uint8Array())
  const header = empty.subarray(0, empty.byteLength - emptyPayloadSize)
  // A library that works otherwise must not make files that nobody can read.
  if (!fileKey || headerLength(Buffer.from(header)) !== header.byteLength)
    throw new TypeError('the age library does not work as it should')
  return { header, fileKey }
}

/**
 * Decrypts with whichever identity fits.
 *
 * @param identities - texts with one `AGE-SECRET-KEY-…` a line; comments and empty lines are left out, as in age's files
 * @param artifact - for messages
 * @throws HoldfastError `ARTIFACT_DECRYPT` when none fits; Error for a payload that was changed or cut off
 */
export async function* decrypt(
  source: Bytes,
  identities: readonly string[],
  artifact: string,
): AsyncGenerator<Uint8Array> {
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  for (const identity of identities.flatMap(identityLines)) {
    try {
      decrypter.addIdentity(identity)
    } catch {
      // Not the library's message: it could quote the key.
      throw errors.ARTIFACT_DECRYPT({ artifact, reason: 'an identity is not an age secret key' })
    }
  }
  const iterator = source[Symbol.asyncIterator]()
  try {
    const { header, nonce, rest } = await readStart(iterator, artifact)
    let fileKey: Uint8Array
    try {
      fileKey = await decrypter.decryptHeader(header)
    } catch (error) {
      throw errors.ARTIFACT_DECRYPT({ artifact, reason: reasonOf(error) }, { cause: error })
    }
    yield* openPayload(payloadKey(fileKey, nonce), following(rest, iterator))
  } finally {
    await iterator.return?.()
  }
}

function identityLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

interface Start {
  readonly header: Buffer
  readonly nonce: Buffer
  /** What was read of the payload. */
  readonly rest: Buffer
}

async function readStart(iterator: AsyncIterator<Uint8Array>, artifact: string): Promise<Start> {
  let held = Buffer.alloc(0)
  for (;;) {
    const length = headerLength(held)
    if (length !== undefined && held.byteLength >= length + payloadNonceSize) {
      const end = length + payloadNonceSize
      return { header: held.subarray(0, length), nonce: held.subarray(length, end), rest: held.subarray(end) }
    }
    const isForeign = held.byteLength >= magic.byteLength && !held.subarray(0, magic.byteLength).equals(magic)
    const next = isForeign || held.byteLength > longestHeader ? undefined : await iterator.next()
    if (!next || next.done)
      throw errors.ARTIFACT_DECRYPT({ artifact, reason: 'it does not begin with the header of an age file' })
    held = Buffer.concat([held, next.value])
  }
}

/** Bytes to the end of the line that ends a header; `undefined` while that isn't there. */
function headerLength(held: Buffer): number | undefined {
  const last = held.subarray(0, longestHeader).indexOf('\n--- ')
  const end = last === -1 ? -1 : held.indexOf('\n', last + 1)
  return end === -1 ? undefined : end + 1
}

async function* following(first: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  for (;;) {
    const next = await iterator.next()
    if (next.done) return
    yield next.value
  }
}
