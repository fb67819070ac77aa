import { objectsOfPrefix, keyOfObject } from './keys.ts'
import { readRefusal } from './refusals.ts'
import type { Remote } from './remote.ts'

/** Which uploads to forget. */
export interface SweepRequest {
  readonly prefix: string
  /** Of those begun before it. */
  readonly before: Date
  /** Ids of uploads that this process is at. */
  readonly active: ReadonlySet<string>
  readonly signal: AbortSignal
}

/** Forgets uploads that were never completed: what a process that was killed leaves takes room, and is paid for. */
export async function sweepUploads(remote: Remote, { prefix, before, active, signal }: SweepRequest): Promise<void> {
  for await (const { object, id, begun } of listUploads(
    remote,
    objectsOfPrefix(remote.config.prefix, prefix),
    signal,
  )) {
    const key = keyOfObject(remote.config.prefix, object)
    // Whatever others do in this bucket is none of our business.
    if (key === undefined || !key.startsWith(prefix) || active.has(id) || begun >= before) continue
    await remote.call({ operation: 'sweep', key }, signal, async ({ aws, client }, options) => {
      const input = { Bucket: remote.config.bucket, Key: object, UploadId: id }
      try {
        await client.send(new aws.AbortMultipartUploadCommand(input), options)
      } catch (error) {
        if (readRefusal(error).status !== 404) throw error
      }
    })
  }
}

interface Found {
  readonly object: string
  readonly id: string
  readonly begun: Date
}

async function* listUploads(remote: Remote, prefix: string, signal: AbortSignal): AsyncGenerator<Found> {
  let KeyMarker: string | undefined
  let UploadIdMarker: string | undefined
  do {
    const page = await remote.call({ operation: 'sweep', key: prefix }, signal, async ({ aws, client }, options) => {
      const input = { Bucket: remote.config.bucket, Prefix: prefix, KeyMarker, UploadIdMarker }
      try {
        return await client.send(new aws.ListMultipartUploadsCommand(input), options)
      } catch (error) {
        // A service that can't tell forgets them by itself.
        if (readRefusal(error).status === 501) return undefined
        throw error
      }
    })
    for (const { Key, UploadId, Initiated } of page?.Uploads ?? []) {
      if (Key !== undefined && UploadId !== undefined && Initiated !== undefined)
        yield { object: Key, id: UploadId, begun: Initiated }
    }
    const isSame = page?.NextKeyMarker === KeyMarker && page?.NextUploadIdMarker === UploadIdMarker
    if (page?.IsTruncated !== true || isSame) return
    KeyMarker = page.NextKeyMarker
    UploadIdMarker = page.NextUploadIdMarker
  } while (KeyMarker !== undefined)
}
