import { randomUUID } from 'node:crypto'
import type { Bytes } from '@holdfast/sdk'
import { foreign } from './failures.ts'
import { objectOfKey } from './keys.ts'
import { headersOf } from './object-headers.ts'
import { createPartBuffers } from './part-buffers.ts'
import { createPartSource } from './part-source.ts'
import type { Remote } from './remote.ts'
import { isUnsure, takeBack } from './take-back.ts'
import { uploadParts } from './upload-parts.ts'

/** What `put` is given, and what it knows. */
export interface PutRequest {
  readonly key: string
  readonly body: Bytes
  readonly signal: AbortSignal
  /** Ids of uploads that this process is at, which no sweep may touch. */
  readonly active: Set<string>
}

/**
 * Stores a stream of any length, in memory for some parts of it. What fits into one part is sent at once; of what doesn't,
 * nothing is there until its last part is.
 */
export async function putObject(remote: Remote, { key, body, signal, active }: PutRequest): Promise<void> {
  const { config } = remote
  const object = objectOfKey(config.prefix, key)
  signal.throwIfAborted()
  // Ends everything, also when a part fails while the stream says nothing.
  const stop = new AbortController()
  const abort = (): void => stop.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const buffers = createPartBuffers(config.partSize, config.concurrency)
  const source = createPartSource(body, stop.signal)
  try {
    const first = await buffers.take(config.partSize, stop.signal)
    const length = await source.fill(first)
    if (length < first.byteLength) {
      await putWhole(remote, { key, object, bytes: first.subarray(0, length), signal })
      buffers.give(first)
    } else await uploadParts(remote, { key, object, source, buffers, first, stop, signal, active })
  } finally {
    signal.removeEventListener('abort', abort)
    source.close()
    buffers.close()
  }
}

interface WholeRequest {
  readonly key: string
  readonly object: string
  readonly bytes: Buffer
  readonly signal: AbortSignal
}

async function putWhole(remote: Remote, { key, object, bytes, signal }: WholeRequest): Promise<void> {
  const { config } = remote
  const mark = randomUUID()
  try {
    const { ETag } = await remote.call({ operation: 'put', key }, signal, ({ aws, client }, options) =>
      client.send(
        new aws.PutObjectCommand({
          Bucket: config.bucket,
          Key: object,
          Body: bytes,
          ...headersOf(config, key, mark),
        }),
        options,
      ),
    )
    if (ETag === undefined) throw foreign(remote.place, 'it stored something and named no ETag')
  } catch (error) {
    if (isUnsure(error, signal)) await takeBack(remote, { key, object, mark })
    throw error
  }
}
