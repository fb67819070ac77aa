import type { Readable } from 'node:stream'
import { objectOfKey } from './keys.ts'
import { readRefusal } from './refusals.ts'
import type { Patience, Remote } from './remote.ts'
import { failed } from './shared-failures.ts'

/** What is read. */
export interface GetRequest {
  readonly key: string
  readonly signal: AbortSignal
  /** From `start` to before `end`. */
  readonly range: { readonly start: number; readonly end?: number }
}

/**
 * Reads an object. A connection that is lost on the way, which it is when a reader takes its time, is taken up again where
 * it ended, as long as the object is the same.
 */
export async function* getObject(remote: Remote, { key, signal, range }: GetRequest): AsyncGenerator<Uint8Array> {
  const about = { operation: 'get', key } as const
  const object = objectOfKey(remote.config.prefix, key)
  const end = range.end ?? Infinity
  let at = range.start
  let etag: string | undefined
  let patience: Patience = remote.patience(about, signal)
  // An empty range can't be asked for; whether there is such an object can.
  if (end <= at) return void (await open(remote, { key, object, at: 0, end: 1, etag }, signal))?.body.destroy()
  for (;;) {
    const opened = await open(remote, { key, object, at, end, etag }, signal)
    if (opened === undefined) return
    const { body, size } = opened
    if (etag !== undefined && opened.etag !== etag) throw failed('get', key, 'it was replaced while it was being read')
    etag = opened.etag
    let received = 0
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        signal.throwIfAborted()
        await remote.download.take(chunk.byteLength, signal)
        received += chunk.byteLength
        at += chunk.byteLength
        yield chunk
      }
      if (size !== undefined && received < size) throw cutShort(received, size)
      return
    } catch (error) {
      // Whoever gets on has all the time again.
      if (received > 0) patience = remote.patience(about, signal)
      await patience.afterFailure(error)
    } finally {
      body.destroy()
    }
  }
}

interface Opened {
  readonly body: Readable
  readonly etag: string | undefined
  /** Bytes that will come. */
  readonly size: number | undefined
}

interface OpenRequest {
  readonly key: string
  readonly object: string
  readonly at: number
  readonly end: number
  readonly etag: string | undefined
}

/** @returns `undefined` where the object ends before the range begins */
function open(
  remote: Remote,
  { key, object, at, end, etag }: OpenRequest,
  signal: AbortSignal,
): Promise<Opened | undefined> {
  const Range = at === 0 && end === Infinity ? undefined : `bytes=${at}-${end === Infinity ? '' : end - 1}`
  return remote.call({ operation: 'get', key }, signal, async ({ aws, client }, options) => {
    const input = { Bucket: remote.config.bucket, Key: object, Range, IfMatch: etag }
    try {
      const output = await client.send(new aws.GetObjectCommand(input), options)
      if (output.Body === undefined) throw failed('get', key, 'the service sent no bytes')
      const body = output.Body as unknown as Readable
      if (Range !== undefined && output.ContentRange?.startsWith(`bytes ${at}-`) !== true) {
        body.destroy()
        throw failed('get', key, 'the service does not heed the range that it was asked for')
      }
      return { body, etag: output.ETag, size: output.ContentLength }
    } catch (error) {
      if (readRefusal(error).status === 416) return undefined
      if (readRefusal(error).status === 412) throw failed('get', key, 'it was replaced while it was being read', error)
      throw error
    }
  })
}

function cutShort(received: number, size: number): Error {
  return Object.assign(new Error(`the connection ended after ${received} of ${size} bytes`), { code: 'ECONNRESET' })
}
