import { randomUUID } from 'node:crypto'
import type { Bytes } from '@holdfast/sdk'
import { foreign } from './failures.ts'
import { objectOfKey } from './keys.ts'
import { headersOf } from './object-headers.ts'
import { createPartBuffers } from './part-buffers.ts'
import { createPartSource, type Part } from './part-source.ts'
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
  const source = createPartSource(body, stop.signal, config)
  try {
    const buffer = await buffers.take(config.partSize, stop.signal)
    const first = await source.fill(buffer)
    if (first.bytes.byteLength < buffer.byteLength) {
      await putWhole(remote, { key, object, part: first, signal })
      buffers.give(buffer)
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
  readonly part: Part
  readonly signal: AbortSignal
}

async function putWhole(remote: Remote, { key, object, part, signal }: WholeRequest): Promise<void> {
  const { config } = remote
  const mark = randomUUID()
  try {
    const { ETag } = await remote.call({ operation: 'put', key }, signal, ({ aws, client }, options) =>
      client.send(
        new aws.PutObjectCommand({
          Bucket: config.bucket,
          Key: object,
          Body: part.bytes,
          ...headersOf(config, key, mark),
          ...part.checksum,
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
