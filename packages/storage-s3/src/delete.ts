import { objectOfKey } from './keys.ts'
import { readRefusal } from './refusals.ts'
import type { Remote } from './remote.ts'

/** Removes an object; in a bucket with versions it is hidden, and its versions stay. */
export async function deleteObject(remote: Remote, key: string, signal: AbortSignal): Promise<void> {
  const input = { Bucket: remote.config.bucket, Key: objectOfKey(remote.config.prefix, key) }
  await remote.call({ operation: 'delete', key }, signal, async ({ aws, client }, options) => {
    try {
      await client.send(new aws.DeleteObjectCommand(input), options)
    } catch (error) {
      // Some services mind that there is none.
      if (readRefusal(error).name !== 'NoSuchKey') throw error
    }
  })
}
