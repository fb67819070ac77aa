import { keyOfObject, objectsOfPrefix } from './keys.ts'
import type { Remote } from './remote.ts'
import { failed } from './shared-failures.ts'

/** An object, as drivers list it. */
interface Entry {
  readonly key: string
  readonly size: number
}

/** The objects of a prefix that are ours, in the order of their keys. */
export async function* listObjects(remote: Remote, prefix: string, signal: AbortSignal): AsyncGenerator<Entry> {
  // Not every service lists in the order of bytes (the directory buckets of S3 in none at all), and a part that was cut
  // sorts otherwise than a whole one. So all of it is held; what is ours in a bucket is little.
  const entries: Entry[] = []
  for await (const { object, size } of listAll(remote, objectsOfPrefix(remote.config.prefix, prefix), signal)) {
    const key = keyOfObject(remote.config.prefix, object)
    if (key?.startsWith(prefix) === true) entries.push({ key, size })
  }
  yield* entries.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

interface Found {
  readonly object: string
  readonly size: number
}

async function* listAll(remote: Remote, prefix: string, signal: AbortSignal): AsyncGenerator<Found> {
  let ContinuationToken: string | undefined
  do {
    const page = await remote.call({ operation: 'list', key: prefix }, signal, ({ aws, client }, options) =>
      client.send(
        new aws.ListObjectsV2Command({
          Bucket: remote.config.bucket,
          Prefix: prefix,
          ContinuationToken,
          // Objects of others may have names that XML can't hold.
          EncodingType: 'url',
        }),
        options,
      ),
    )
    for (const { Key, Size } of page.Contents ?? []) {
      signal.throwIfAborted()
      if (Key !== undefined) yield { object: page.EncodingType === 'url' ? decode(Key) : Key, size: Size ?? 0 }
    }
    const token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    if (page.IsTruncated === true && (token === undefined || token === ContinuationToken))
      throw failed('list', prefix, 'the service says that there is more, and not where it goes on')
    ContinuationToken = token
  } while (ContinuationToken !== undefined)
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
