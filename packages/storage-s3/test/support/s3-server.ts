// A server that speaks as much of S3 as the driver does, checks what it is sent as AWS would, and has bad days.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { crc32 } from 'node:zlib'

/** A request, as bad days see it. */
export interface Seen {
  readonly operation:
    | 'PutObject'
    | 'GetObject'
    | 'HeadObject'
    | 'DeleteObject'
    | 'ListObjects'
    | 'CreateUpload'
    | 'UploadPart'
    | 'CompleteUpload'
    | 'AbortUpload'
    | 'ListUploads'
  readonly key: string
  readonly part: number
  /** Of this operation, from 1. */
  readonly count: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly accessKey: string
}

/** What goes wrong with a request. */
export type Fault =
  | {
      readonly status: number
      readonly code: string
      readonly message?: string
      readonly headers?: Record<string, string>
    }
  /** The connection is cut when so many bytes have come in; of a GET, when so many have gone out. */
  | { readonly cutAfter: number }
  /** It is done, and the connection is cut instead of an answer. */
  | 'no-answer'
  /** Nothing is read and nothing is said any more. */
  | 'silence'
  /** What arrives isn't what was sent. */
  | 'flipped-bit'
  /** HTTP 200, and an error in its body, as CompleteMultipartUpload does it. */
  | 'error-in-200'
  /** Something in between answers with a page, and nothing is done. */
  | 'web-page'
  /** All of an object is sent, whatever part of it was asked for. */
  | 'no-ranges'

/** Options of {@link startS3}. */
export interface S3ServerOptions {
  readonly bucket?: string
  /** Objects have sizes and digests, and large ones no bytes. */
  readonly discard?: boolean
  /** Bytes are not checked, which takes time. */
  readonly unchecked?: boolean
  readonly fault?: (seen: Seen) => Fault | undefined
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Hears of every piece of a body that arrives. */
  readonly onBytes?: (length: number) => void
  /** Of uploads that are begun. */
  readonly now?: () => Date
  /** Of all parts of an upload but the last, in bytes. Default: 5 MiB, as AWS has it. */
  readonly smallestPart?: number
  /** Objects on a page of a list. Default: 1,000. */
  readonly pageSize?: number
  /** A list never says where it goes on. */
  readonly endless?: boolean
  /** Reads no faster, in bytes per second. */
  readonly slow?: number
}

/** An object in the server. */
export interface StoredObject {
  readonly size: number
  readonly bytes: Buffer
  readonly sha256: string
  readonly etag: string
  readonly headers: Readonly<Record<string, string>>
}

/** An upload that is under way. */
export interface StoredUpload {
  readonly key: string
  readonly begun: Date
  readonly headers: Readonly<Record<string, string>>
  readonly parts: Map<number, StoredObject>
}

/** A running server. */
export interface S3Server {
  readonly url: string
  readonly bucket: string
  readonly objects: Map<string, StoredObject>
  readonly uploads: Map<string, StoredUpload>
  readonly requests: Seen[]
  /** Its bad days from now on; requests are counted anew. */
  fail(fault: S3ServerOptions['fault']): void
  close(): Promise<void>
}

const kept = /^x-amz-(meta-|server-side|storage-class|object-lock|checksum-algorithm)/

export async function startS3(options: S3ServerOptions = {}): Promise<S3Server> {
  const { bucket = 'backups', now = () => new Date(), smallestPart = 5 * 2 ** 20 } = options
  const objects = new Map<string, StoredObject>()
  const uploads = new Map<string, StoredUpload>()
  const requests: Seen[] = []
  let { fault } = options
  let counts = new Map<string, number>()
  let ids = 0

  const see = (request: IncomingMessage): Seen & { readonly query: URLSearchParams; readonly inBucket: string } => {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://s3')
    const [, inBucket = '', ...rest] = pathname.split('/').map(decodeURIComponent)
    const key = rest.join('/')
    const operation = operationOf(request.method ?? '', key, query)
    const count = (counts.get(operation) ?? 0) + 1
    counts.set(operation, count)
    const accessKey = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const headers = request.headers as Record<string, string | undefined>
    return { operation, key, part: Number(query.get('partNumber') ?? 0), count, headers, accessKey, query, inBucket }
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const seen = see(request)
    // A request that is left alone forgets its own.
    const { socket } = request
    requests.push(seen)
    const bad = fault?.(seen)
    const refuse = (status: number, code: string, message = code, headers: Record<string, string> = {}): void => {
      request.resume()
      response.writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'R1', ...headers })
      response.end(seen.operation === 'HeadObject' ? undefined : errorXml(code, message))
    }
    if (bad === 'silence') return void request.pause()
    if (typeof bad === 'object' && 'status' in bad) return refuse(bad.status, bad.code, bad.message, bad.headers)
    if (bad === 'web-page') {
      request.resume()
      return void response.writeHead(200).end('<html><body>Log in to the network</body></html>')
    }
    if (seen.accessKey === '') return refuse(403, 'AccessDenied', 'no signature')
    if (seen.inBucket !== bucket) return refuse(404, 'NoSuchBucket', 'The specified bucket does not exist')
    const cutAfter = typeof bad === 'object' ? bad.cutAfter : undefined
    const isGet = seen.operation === 'GetObject'
    const body = await receive(request, {
      ...options,
      cutAfter: isGet ? undefined : cutAfter,
      flip: bad === 'flipped-bit',
    })
    if (body === undefined) return void socket.destroy()
    const wrong = options.unchecked === true ? undefined : whatIsWrong(request, body)
    if (wrong !== undefined) return refuse(400, wrong)
    const answer = (status: number, headers: Record<string, string> = {}, content?: string | Buffer): void => {
      if (bad === 'no-answer') return void socket.destroy()
      if (bad === 'error-in-200') return void response.writeHead(200).end(errorXml('InternalError', 'We failed'))
      response.writeHead(status, headers)
      if (isGet && cutAfter !== undefined && content !== undefined) {
        return void response.write((content as Buffer).subarray(0, cutAfter), () => socket.destroy())
      }
      response.end(content)
    }
    const store = (): StoredObject => {
      const headers = Object.fromEntries(Object.entries(seen.headers).filter(([name]) => kept.test(name))) as Record<
        string,
        string
      >
      return { ...body, etag: `"${body.md5}"`, headers }
    }
    const upload = uploads.get(seen.query.get('uploadId') ?? '')
    const found = objects.get(seen.key)

    switch (seen.operation) {
      case 'PutObject': {
        const object = store()
        objects.set(seen.key, object)
        return answer(200, { etag: object.etag })
      }
      case 'CreateUpload': {
        const id = `upload-${++ids}`
        uploads.set(id, { key: seen.key, begun: now(), headers: store().headers, parts: new Map() })
        return answer(
          200,
          {},
          `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
        )
      }
      case 'UploadPart': {
        if (upload === undefined) return refuse(404, 'NoSuchUpload')
        const part = store()
        upload.parts.set(seen.part, part)
        const crc = seen.headers['x-amz-checksum-crc32']
        return answer(200, { etag: part.etag, ...(crc === undefined ? {} : { 'x-amz-checksum-crc32': crc }) })
      }
      case 'CompleteUpload': {
        if (upload === undefined) return refuse(404, 'NoSuchUpload')
        const numbers = [...body.bytes.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, n]) =>
          Number(n),
        )
        const parts = numbers.map((number) => upload.parts.get(number))
        const small = parts.slice(0, -1).some((part) => part !== undefined && part.size < smallestPart)
        if (numbers.length === 0 || parts.includes(undefined)) return refuse(400, 'InvalidPart')
        if (numbers.some((number, index) => index > 0 && number <= (numbers[index - 1] ?? 0)))
          return refuse(400, 'InvalidPartOrder')
        if (small) return refuse(400, 'EntityTooSmall')
        if (bad === 'error-in-200') return answer(200)
        objects.set(seen.key, join(parts as StoredObject[], upload.headers))
        uploads.delete(seen.query.get('uploadId') ?? '')
        return answer(200, {}, '<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>')
      }
      case 'AbortUpload':
        if (!uploads.delete(seen.query.get('uploadId') ?? '')) return refuse(404, 'NoSuchUpload')
        return answer(204)
      case 'DeleteObject':
        objects.delete(seen.key)
        return answer(204)
      case 'HeadObject':
        if (found === undefined) return refuse(404, 'NotFound')
        return answer(200, { ...found.headers, etag: found.etag, 'content-length': `${found.size}` })
      case 'GetObject': {
        if (found === undefined) return refuse(404, 'NoSuchKey')
        if (seen.headers['if-match'] !== undefined && seen.headers['if-match'] !== found.etag)
          return refuse(412, 'PreconditionFailed')
        const range = bad === 'no-ranges' ? undefined : seen.headers['range']
        const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
        if (from !== undefined && Number(from) >= found.size) return refuse(416, 'InvalidRange')
        const bytes = found.bytes.subarray(Number(from ?? 0), to ? Number(to) + 1 : undefined)
        const sent = bad === 'flipped-bit' ? flip(Buffer.from(bytes)) : bytes
        const crc: Record<string, string> = from === undefined ? { 'x-amz-checksum-crc32': crcOf(bytes) } : {}
        return answer(
          from === undefined ? 200 : 206,
          {
            etag: found.etag,
            'content-length': `${bytes.length}`,
            ...(from !== undefined && {
              'content-range': `bytes ${from}-${Number(from) + bytes.length - 1}/${found.size}`,
            }),
            ...crc,
          },
          sent,
        )
      }
      case 'ListObjects': {
        const prefix = seen.query.get('prefix') ?? ''
        const after = seen.query.get('continuation-token') ?? ''
        const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted()
        const page = keys.slice(0, options.pageSize ?? 1000)
        const more = keys.length > page.length
        const entries = page.map(
          (key) =>
            `<Contents><Key>${encodeURIComponent(key).replaceAll('%2F', '/')}</Key><Size>${objects.get(key)?.size ?? 0}</Size></Contents>`,
        )
        const next =
          more && options.endless !== true ? `<NextContinuationToken>${page.at(-1) ?? ''}</NextContinuationToken>` : ''
        return answer(
          200,
          {},
          `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>${next}${entries.join('')}</ListBucketResult>`,
        )
      }
      case 'ListUploads': {
        const prefix = seen.query.get('prefix') ?? ''
        const marker = seen.query.get('upload-id-marker') ?? ''
        const all = [...uploads].filter(([, { key }]) => key.startsWith(prefix))
        const rest = all.slice(all.findIndex(([id]) => id === marker) + 1)
        const page = rest.slice(0, 2)
        const more = rest.length > page.length
        const entries = page.map(
          ([id, { key, begun }]) =>
            `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begun.toISOString()}</Initiated></Upload>`,
        )
        const [last] = page.toReversed()
        const next =
          more && last
            ? `<NextKeyMarker>${last[1].key}</NextKeyMarker><NextUploadIdMarker>${last[0]}</NextUploadIdMarker>`
            : ''
        return answer(
          200,
          {},
          `<ListMultipartUploadsResult><IsTruncated>${more}</IsTruncated>${next}${entries.join('')}</ListMultipartUploadsResult>`,
        )
      }
    }
  }

  const listener: RequestListener = (request, response) => {
    const { socket } = request
    handle(request, response).catch(() => socket.destroy())
  }
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    bucket,
    objects,
    uploads,
    requests,
    fail(next) {
      fault = next
      counts = new Map()
    },
    close: () => closeServer(server),
  }
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

function operationOf(method: string, key: string, query: URLSearchParams): Seen['operation'] {
  const inUpload = query.has('uploadId')
  if (method === 'POST') return inUpload ? 'CompleteUpload' : 'CreateUpload'
  if (method === 'PUT') return inUpload ? 'UploadPart' : 'PutObject'
  if (method === 'DELETE') return inUpload ? 'AbortUpload' : 'DeleteObject'
  if (method === 'HEAD') return 'HeadObject'
  if (key !== '') return 'GetObject'
  return query.has('uploads') ? 'ListUploads' : 'ListObjects'
}

interface Received {
  readonly size: number
  readonly bytes: Buffer
  readonly sha256: string
  readonly md5: string
  readonly crc: string
}

type ReceiveOptions = S3ServerOptions & { readonly cutAfter: number | undefined; readonly flip: boolean }

/** @returns `undefined` where the connection is to be cut */
async function receive(request: IncomingMessage, options: ReceiveOptions): Promise<Received | undefined> {
  const { discard = false, unchecked = false, slow, cutAfter = Infinity, flip: isFlipped } = options
  const sha256 = createHash('sha256')
  const md5 = createHash('md5')
  const chunks: Buffer[] = []
  // Manifests are read back, and lists of parts are read.
  const isSmall = request.method === 'POST' || Number(request.headers['content-length'] ?? 0) < 65_536
  let crc = 0
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    const bytes = isFlipped && size === 0 ? flip(Buffer.from(chunk)) : chunk
    size += bytes.length
    options.onBytes?.(bytes.length)
    if (size > cutAfter) return undefined
    if (!unchecked) {
      sha256.update(bytes)
      md5.update(bytes)
      crc = crc32(bytes, crc)
    }
    if (!discard || isSmall) chunks.push(bytes)
    else if (bytes.byteLength === bytes.buffer.byteLength) (bytes.buffer as ArrayBuffer).transfer(0)
    if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, (bytes.length / slow) * 1000))
  }
  return {
    size,
    bytes: Buffer.concat(chunks),
    sha256: sha256.digest('hex'),
    md5: md5.digest('hex'),
    crc: base64Crc(crc),
  }
}

function flip(bytes: Buffer): Buffer {
  if (bytes.length > 0) bytes[0] = (bytes[0] ?? 0) ^ 1
  return bytes
}

/** As AWS: what was signed and what the checksum says must be what came. */
function whatIsWrong({ headers }: IncomingMessage, body: Received): string | undefined {
  const signed = headers['x-amz-content-sha256']
  if (signed !== 'UNSIGNED-PAYLOAD' && signed !== body.sha256) return 'XAmzContentSHA256Mismatch'
  const crc = headers['x-amz-checksum-crc32']
  if (crc !== undefined && crc !== body.crc) return 'BadDigest'
  const sha256 = headers['x-amz-checksum-sha256']
  if (sha256 !== undefined && sha256 !== Buffer.from(body.sha256, 'hex').toString('base64')) return 'BadDigest'
  return undefined
}

function join(parts: readonly StoredObject[], headers: Readonly<Record<string, string>>): StoredObject {
  const bytes = Buffer.concat(parts.map((part) => part.bytes))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  return { size, bytes, sha256, etag: `"${sha256.slice(0, 32)}-${parts.length}"`, headers }
}

function crcOf(bytes: Buffer): string {
  return base64Crc(crc32(bytes))
}

function base64Crc(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes.toString('base64')
}

function errorXml(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message><RequestId>R1</RequestId></Error>`
}
