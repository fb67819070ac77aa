// The AWS SDK's client, as this driver wants it: nothing waits for ever, and a part is sent piece by piece.
import { Readable } from 'node:stream'
import type { S3ClientConfig } from '@aws-sdk/client-s3'
import type * as Aws from './aws.ts'
import { environmentEndpoint, environmentRegion } from './environment.ts'
import type { S3Config } from './options.ts'
import type { Pace } from './pace.ts'

/** What middleware sees of a request. */
interface HttpRequest {
  readonly protocol: string
  readonly headers: Record<string, string>
  readonly body?: unknown
}

/** The SDK, loaded, and a client of a store's service. */
export interface S3 {
  readonly aws: typeof Aws
  readonly client: Aws.S3Client
}

const connectionTimeoutMs = 10_000
/** Of all uploads together; what waits for a connection must not wait for long. */
const maxSockets = 256

/**
 * Loads the SDK and makes a client. Nothing is sent yet.
 *
 * @param upload - what is sent goes at this pace
 */
export async function openClient(config: S3Config, upload: Pace): Promise<S3> {
  const aws = await import('./aws.ts')
  const endpoint = config.endpoint ?? environmentEndpoint()
  const region = config.region ?? environmentRegion() ?? (endpoint === undefined ? undefined : anyRegion())
  const settings: S3ClientConfig & { readonly ignoreCache: boolean } = {
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle: config.forcePathStyle ?? endpoint !== undefined,
    requestChecksumCalculation: config.checksum === 'none' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
    responseChecksumValidation: config.checksum === 'none' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
    requestHandler: {
      connectionTimeout: connectionTimeoutMs,
      socketTimeout: config.timeoutMs,
      httpAgent: { maxSockets },
      httpsAgent: { maxSockets },
    },
    // With it, every part gets a connection of its own.
    expectContinueHeader: false,
    // We do that ourselves (remote.ts).
    retryStrategy: {
      acquireInitialRetryToken: async () => ({ getRetryCount: () => 0, getRetryDelay: () => 0 }),
      refreshRetryTokenForRetry: async () => {
        throw new Error('the driver tries again by itself')
      },
      recordSuccess() {},
    },
    // Handed to the credentials' chain: a file that was mounted anew is read anew.
    ignoreCache: true,
  }
  const client = new aws.S3Client(settings)
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const request = args.request as HttpRequest
        // A hash of every byte costs as much as all the rest of sending it. TLS protects what is on its way; without TLS,
        // what a part was changed to would show when the backup is verified, by the digest in its manifest.
        const isProtected = commandName === 'UploadPartCommand' && config.checksum !== 'none'
        if (request.body instanceof Uint8Array && (request.protocol === 'https:' || isProtected))
          request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
        return next(args)
      },
    { step: 'build', priority: 'low', name: 'unsignedPayload' },
  )
  // Last of all, so that what is signed and tried again is the whole part.
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as HttpRequest
      const { body } = request
      if (!(body instanceof Uint8Array) || body.byteLength === 0) return next(args)
      const copy = Object.create(Object.getPrototypeOf(request) as object) as HttpRequest
      return next({ ...args, request: Object.assign(copy, request, { body: inSlices(body, upload) }) })
    },
    { step: 'deserialize', priority: 'low', name: 'sendInSlices' },
  )
  return { aws, client }
}

/** A socket of TLS that is given 8 MiB at once encrypts all of them at once, into memory of its own. */
function inSlices(body: Uint8Array, pace: Pace): Readable {
  let at = 0
  return new Readable({
    highWaterMark: pace.slice,
    read() {
      const slice = body.subarray(at, at + pace.slice)
      at += slice.byteLength
      const push = (): void => void this.push(slice.byteLength === 0 ? null : slice)
      if (pace.isLimited) pace.take(slice.byteLength).then(push, (error: Error) => this.destroy(error))
      else push()
    },
  })
}

/** What services that have no regions are told; a profile may know better. */
function anyRegion(): string | undefined {
  return process.env['AWS_PROFILE'] === undefined ? 'us-east-1' : undefined
}
