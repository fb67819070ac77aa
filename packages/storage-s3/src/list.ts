import { foreign } from './failures.ts'
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
  const store = remote.config.prefix
  let held: readonly Entry[] = []
  for await (const page of listPages(remote, objectsOfPrefix(store, prefix), signal)) {
    const found = page.flatMap(({ object, size }): readonly Entry[] => {
      const key = keyOfObject(store, object)
      return key?.startsWith(prefix) === true ? [{ key, size }] : []
    })
    // Sorted, though services do that: keys whose parts were cut sort otherwise than their objects. Those that have the
    // beginning of such a part in common come together, some on the next page perhaps.
    const entries = [...held, ...found].toSorted((a, b) => (a.key < b.key ? -1 : 1))
    const common = beginningOfLongPart(entries.at(-1)?.key ?? '')
    const ready = common === undefined ? entries.length : entries.findIndex(({ key }) => key.startsWith(common))
    for (const entry of entries.slice(0, ready)) {
      signal.throwIfAborted()
      yield entry
    }
    held = entries.slice(ready)
  }
  yield* held
}

/** All up to the first 200 characters of a part that has as many. */
function beginningOfLongPart(key: string): string | undefined {
  return /^(?:[^/]{0,199}\/)*[^/]{200}/.exec(key)?.[0]
}

interface Found {
  readonly object: string
  readonly size: number
}

async function* listPages(remote: Remote, prefix: string, signal: AbortSignal): AsyncGenerator<readonly Found[]> {
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
    // A web page is read as a list of nothing, and nobody has backups there.
    if (page.IsTruncated === undefined) throw foreign(remote.place, 'a list that is none')
    const decode = page.EncodingType === 'url' ? decodeName : (name: string): string => name
    yield (page.Contents ?? []).flatMap(({ Key, Size = 0 }) =>
      Key === undefined ? [] : [{ object: decode(Key), size: Size }],
    )
    const token = page.IsTruncated ? page.NextContinuationToken : undefined
    if (page.IsTruncated && (token === undefined || token === ContinuationToken))
      throw failed('list', prefix, 'the service says that there is more, and not where it goes on')
    ContinuationToken = token
  } while (ContinuationToken !== undefined)
}

function decodeName(name: string): string {
  return decodeURIComponent(name.replaceAll('+', ' '))
}
