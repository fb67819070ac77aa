// After a failure it may not be known whether an object is there: the connection was lost after the last byte, and the
// answer with it. `put` promises that nothing is there when it rejects.
import { isHoldfastError } from '@holdfast/sdk'
import { uploadMark } from './object-headers.ts'
import type { Remote } from './remote.ts'

/** What may have been stored. */
export interface Doubtful {
  readonly key: string
  readonly object: string
  /** What the metadata of this very `put` says. */
  readonly mark: string
}

/** How long the clean-up of a failed `put` may take: it is on the way of a shutdown. What is left is swept later. */
export const cleanUpMs = 5000

/** Codes after which a service may have done what was asked. */
const unsure = new Set(['STORAGE_UNREACHABLE', 'STORAGE_IO', 'STORAGE_BUSY', 'STORAGE_CHECKSUM'])

/** Whether a request that failed so may have had its effect. */
export function isUnsure(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (isHoldfastError(error) && unsure.has(error.code))
}

/** Whether the object that is there is the one that this `put` has stored. */
export async function isStored(remote: Remote, { key, object, mark }: Doubtful, signal: AbortSignal): Promise<boolean> {
  try {
    const { Metadata = {} } = await remote.call({ operation: 'get', key }, signal, ({ aws, client }, options) =>
      client.send(new aws.HeadObjectCommand({ Bucket: remote.config.bucket, Key: object }), options),
    )
    return Metadata[uploadMark] === mark
  } catch {
    return false
  }
}

/** Removes an object if it is the one that this `put` has stored, and no other. */
export async function takeBack(remote: Remote, doubtful: Doubtful): Promise<void> {
  const signal = AbortSignal.timeout(cleanUpMs)
  if (!(await isStored(remote, doubtful, signal))) return
  const { key, object } = doubtful
  await remote
    .call({ operation: 'delete', key }, signal, ({ aws, client }, options) =>
      client.send(new aws.DeleteObjectCommand({ Bucket: remote.config.bucket, Key: object }), options),
    )
    .catch(() => {})
}
