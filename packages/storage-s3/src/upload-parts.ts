import { randomUUID } from 'node:crypto'
import type { CompletedPart } from '@aws-sdk/client-s3'
import { errors } from './errors.ts'
import { foreign, type About } from './failures.ts'
import { headersOf } from './object-headers.ts'
import type { PartBuffers } from './part-buffers.ts'
import { mostParts, partSize } from './part-size.ts'
import type { Part, PartSource } from './part-source.ts'
import type { Remote } from './remote.ts'
import { failed } from './shared-failures.ts'
import { cleanUpMs, isStored, isUnsure, takeBack } from './take-back.ts'

/** A stream of which the first part is full. */
export interface UploadRequest {
  readonly key: string
  readonly object: string
  readonly source: PartSource
  readonly buffers: PartBuffers
  /** A full one, in a buffer of its size. */
  readonly first: Part
  /** Aborts when any part of it fails. */
  readonly stop: AbortController
  readonly signal: AbortSignal
  readonly active: Set<string>
}

/** An upload at the service. */
interface Upload {
  readonly about: About
  readonly object: string
  readonly id: string
  readonly mark: string
}

/** Stores a stream part by part. When it rejects, the service has been told to forget the parts. */
export async function uploadParts(remote: Remote, request: UploadRequest): Promise<void> {
  const { key, object, stop, signal, active } = request
  const about: About = { operation: 'put', key }
  const mark = randomUUID()
  const id = await begin(remote, { about, object, mark }, signal)
  active.add(id)
  const upload: Upload = { about, object, id, mark }
  const underWay = new Set<Promise<void>>()
  try {
    const parts = await sendAll(remote, upload, request, underWay)
    signal.throwIfAborted()
    await complete(remote, upload, parts, signal)
  } catch (error) {
    // A part that arrives after the upload was forgotten would stay for ever.
    stop.abort(error)
    await Promise.all(underWay)
    await forget(remote, upload)
    throw error
  } finally {
    active.delete(id)
  }
}

async function begin(
  remote: Remote,
  { about, object, mark }: Omit<Upload, 'id'>,
  signal: AbortSignal,
): Promise<string> {
  const { config } = remote
  const { UploadId } = await remote.call(about, signal, ({ aws, client }, options) =>
    client.send(
      new aws.CreateMultipartUploadCommand({
        Bucket: config.bucket,
        Key: object,
        ...headersOf(config, about.key, mark),
      }),
      options,
    ),
  )
  if (UploadId === undefined) throw failed('put', about.key, 'the service gave the upload no id')
  return UploadId
}

async function sendAll(
  remote: Remote,
  upload: Upload,
  { source, buffers, first, stop }: UploadRequest,
  underWay: Set<Promise<void>>,
): Promise<readonly CompletedPart[]> {
  const { config } = remote
  const parts: CompletedPart[] = []
  const send = async (number: number, part: Part, buffer: Buffer): Promise<void> => {
    try {
      parts.push(await sendPart(remote, upload, { number, part }, stop.signal))
      buffers.give(buffer)
    } catch (error) {
      // Its buffer isn't used again: a connection that was given up may still read it.
      stop.abort(error)
    }
  }
  let part = first
  let buffer = first.bytes
  for (let number = 1; part.bytes.byteLength > 0; number++) {
    if (number > mostParts)
      throw errors.STORAGE_TOO_LARGE({ key: upload.about.key, reason: `it has more than ${mostParts} parts` })
    const isLast = part.bytes.byteLength < buffer.byteLength
    const sending = send(number, part, buffer)
    underWay.add(sending)
    void sending.finally(() => underWay.delete(sending))
    if (isLast) break
    buffer = await buffers.take(partSize(number + 1, config.partSize), stop.signal)
    part = await source.fill(buffer)
  }
  await Promise.all(underWay)
  stop.signal.throwIfAborted()
  return parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0))
}

async function sendPart(
  remote: Remote,
  { about, object, id }: Upload,
  { number, part }: { readonly number: number; readonly part: Part },
  signal: AbortSignal,
): Promise<CompletedPart> {
  const { bucket } = remote.config
  const output = await remote.call(about, signal, ({ aws, client }, options) =>
    client.send(
      new aws.UploadPartCommand({
        Bucket: bucket,
        Key: object,
        UploadId: id,
        PartNumber: number,
        Body: part.bytes,
        ...part.checksum,
      }),
      options,
    ),
  )
  const { ETag, ChecksumCRC32, ChecksumSHA256 } = output
  if (ETag === undefined) throw failed('put', about.key, `the service gave part ${number} no ETag`)
  return { PartNumber: number, ETag, ChecksumCRC32, ChecksumSHA256 }
}

/** From here on the object is there. */
async function complete(
  remote: Remote,
  { about, object, id, mark }: Upload,
  parts: readonly CompletedPart[],
  signal: AbortSignal,
): Promise<void> {
  const doubtful = { key: about.key, object, mark }
  try {
    const { ETag } = await remote.call(about, signal, ({ aws, client }, options) =>
      client.send(
        new aws.CompleteMultipartUploadCommand({
          Bucket: remote.config.bucket,
          Key: object,
          UploadId: id,
          MultipartUpload: { Parts: [...parts] },
        }),
        options,
      ),
    )
    // A web page is read as an answer without anything in it.
    if (ETag === undefined && !(await isStored(remote, doubtful, signal)))
      throw foreign(remote.place, 'it put something together and named no ETag')
  } catch (error) {
    // The first answer was lost, and the second time there was nothing left to complete.
    if (isGone(error) && (await isStored(remote, doubtful, signal))) return
    if (isUnsure(error, signal)) await takeBack(remote, doubtful)
    throw error
  }
}

function isGone(error: unknown): boolean {
  return (error as { readonly cause?: { readonly name?: string } }).cause?.name === 'NoSuchUpload'
}

/** What can't be removed now is swept later; the first error says why. */
async function forget(remote: Remote, { about, object, id }: Upload): Promise<void> {
  const signal = AbortSignal.timeout(cleanUpMs)
  await remote
    .call(about, signal, ({ aws, client }, options) =>
      client.send(
        new aws.AbortMultipartUploadCommand({ Bucket: remote.config.bucket, Key: object, UploadId: id }),
        options,
      ),
    )
    .catch(() => {})
}
