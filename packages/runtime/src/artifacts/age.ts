import type { Decrypter, Encrypter } from 'age-encryption'
import type { Bytes } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'

/**
 * Encrypts to every recipient.
 *
 * @param recipients - `age1…`
 * @returns the encryption, its recipients checked
 * @throws HoldfastError `ENCODING_INVALID`
 */
export async function openEncrypter(recipients: readonly string[]): Promise<(source: Bytes) => Bytes> {
  const age = await import('age-encryption')
  const encrypter = new age.Encrypter()
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient)
    } catch (error) {
      throw errors.ENCODING_INVALID({ recipient, reason: reasonOf(error) }, { cause: error })
    }
  }
  return (source) => encrypt(encrypter, source)
}

async function* encrypt(encrypter: Encrypter, source: Bytes): AsyncGenerator<Uint8Array> {
  yield* await encrypter.encrypt(ReadableStream.from(source))
}

/**
 * Decrypts with whichever identity fits.
 *
 * @param identities - texts with one `AGE-SECRET-KEY-…` a line; comments and empty lines are left out, as in age's files
 * @param artifact - for messages
 * @throws HoldfastError `ARTIFACT_DECRYPT` when none fits
 */
export async function* decrypt(
  source: Bytes,
  identities: readonly string[],
  artifact: string,
): AsyncGenerator<Uint8Array> {
  const age = await import('age-encryption')
  const decrypter = new age.Decrypter()
  for (const identity of identities.flatMap(identityLines)) {
    try {
      decrypter.addIdentity(identity)
    } catch {
      // Not the library's message: it could quote the key.
      throw errors.ARTIFACT_DECRYPT({ artifact, reason: 'an identity is not an age secret key' })
    }
  }
  yield* await openPayload(decrypter, source, artifact)
}

function identityLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

async function openPayload(decrypter: Decrypter, source: Bytes, artifact: string): Promise<Bytes> {
  // What the source itself fails with is not about decryption.
  let failure: Error | undefined
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* source
    } catch (error) {
      failure = error as Error
      throw error
    }
  }
  const stream = watched()
  try {
    return await decrypter.decrypt(ReadableStream.from(stream))
  } catch (error) {
    // The library leaves it open.
    await stream.return(undefined)
    if (failure) throw failure
    throw errors.ARTIFACT_DECRYPT({ artifact, reason: reasonOf(error) }, { cause: error })
  }
}
