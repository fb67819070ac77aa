import type { EncodingOptions } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { formatPath, type Path, type Problems } from './problems.ts'
import type { ResolvedEncoding } from './resolved.ts'

const defaults: ResolvedEncoding = { compression: 'zstd', recipients: [], identity: undefined }

/**
 * How artifacts are stored. What is left out is inherited one by one: a plan that only sets its compression is still
 * encrypted to everybody that the top level names; `recipients: []` is how to say that it isn't.
 *
 * @param inherited - the top level's, for a plan. Default: zstd, not encrypted
 */
export function resolveEncoding(
  encoding: EncodingOptions | undefined,
  inherited: ResolvedEncoding = defaults,
): ResolvedEncoding {
  return {
    compression: encoding?.compression ?? inherited.compression,
    recipients: encoding?.recipients ?? inherited.recipients,
    identity: encoding?.identity ?? inherited.identity,
  }
}

/** Checks that artifacts can be encrypted to each recipient: a typo would be found out at the first backup. */
export async function checkRecipients(recipients: unknown, path: Path, problems: Pick<Problems, 'add'>): Promise<void> {
  if (!Array.isArray(recipients) || recipients.length === 0) return
  // Loads 24 MB of cryptography, which a plan that encrypts needs anyway.
  const { Encrypter } = await import('age-encryption')
  for (const [index, recipient] of recipients.entries()) {
    if (typeof recipient !== 'string') continue
    const where = [...path, index]
    const add = (reason: string): void =>
      problems.add(errors.RECIPIENT_INVALID({ path: formatPath(where), reason }), { path: where })
    if (/^AGE-SECRET-KEY-/i.test(recipient.trim())) {
      add('it is a secret key, which must not be in a configuration; treat it as leaked')
      continue
    }
    try {
      new Encrypter().addRecipient(recipient)
    } catch (error) {
      // The library repeats what it was given, which might be a secret.
      add(recipient.startsWith('age1') ? 'it is mistyped or cut off' : reasonOf(error).replaceAll(recipient, '…'))
    }
  }
}
