import { isDuration, parseDuration, type Duration } from '@holdfast/sdk'
import * as z from 'zod'
import { errors } from './errors.ts'
import { smallestPart } from './part-size.ts'
import { parseSize, type Size } from './size.ts'

/** Options of {@link s3}. Credentials are none: they come from the AWS SDK's chain, see docs/s3.md. */
export interface S3Options {
  readonly bucket: string
  /** What the keys of all objects begin with: `backups/shop`. Default: nothing. */
  readonly prefix?: string | undefined
  /** URL of a service that speaks S3's protocol. Default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, else AWS. */
  readonly endpoint?: string | undefined
  /** Default: `AWS_REGION`, or that of the profile; with an endpoint `us-east-1`. */
  readonly region?: string | undefined
  /** The bucket in the path instead of the host name. Default `true` with an endpoint, else `false`. */
  readonly forcePathStyle?: boolean | undefined
  /** Bytes of a part of an upload, 5 MiB to 5 GiB. Beyond 5,000 parts they grow. Default `'8MiB'`. */
  readonly partSize?: Size | undefined
  /** Parts of an upload in memory at once, one of them being filled. Default 4. */
  readonly concurrency?: number | undefined
  /** What the service checks what arrives by; `'none'` for one that doesn't take these headers. Default `'crc32'`. */
  readonly checksum?: 'crc32' | 'sha256' | 'none' | undefined
  /** Encryption by the service. Default: what the bucket says. */
  readonly serverSideEncryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse' | undefined
  /** The key of `aws:kms`. Default: the account's own. */
  readonly kmsKeyId?: string | undefined
  /** Whether a key of the bucket saves calls to KMS. Default: what the bucket says. */
  readonly bucketKey?: boolean | undefined
  /** `'STANDARD_IA'`, `'GLACIER_IR'` and so on: one that can be read at once. Default: the service's. */
  readonly storageClass?: string | undefined
  /** Locks data and manifests for so many days. The bucket must have Object Lock. Default: what the bucket says. */
  readonly objectLock?: { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly days: number } | undefined
  /** Bytes per second, up and down each. Default: no limit. */
  readonly bandwidth?: Size | undefined
  /** How long a connection may say nothing. Default `'1m'`. */
  readonly timeout?: Duration | undefined
  /**
   * How long a request is tried again while the service fails or is away. One that has never answered gets 20 seconds.
   * Default `'5m'`.
   */
  readonly retryFor?: Duration | undefined
}

const part = (text: string): boolean => text !== '' && text !== '.' && text !== '..'

const size = z
  .union([z.number(), z.string()])
  .refine((given) => parseSize(given) !== undefined, { error: "use bytes or a number with a unit, such as '8MiB'" })

const duration = z
  .union([z.number(), z.string()])
  .refine(isDuration, { error: "use milliseconds or a number with ms, s, m, h or d, such as '5m'" })

/** They take hours to be read: nothing that was stored there would ever be verified. */
const archives = new Set(['GLACIER', 'DEEP_ARCHIVE'])

const schema = z
  .strictObject({
    bucket: z
      .string()
      .regex(/^[A-Za-z0-9][\w.-]{1,254}$/, { error: 'it is no name of a bucket' })
      .refine((name) => !name.endsWith('--x-s3'), {
        error: 'it is a directory bucket, which lists in no order and locks nothing',
      }),
    prefix: z
      .string()
      .transform((text) => text.replaceAll(/^\/+|\/+$/g, ''))
      .refine((text) => text === '' || text.split('/').every(part), { error: "it has an empty part, '.' or '..'" })
      .refine((text) => Buffer.byteLength(text) <= 500, { error: 'it has more than 500 bytes' })
      .optional(),
    endpoint: z
      .url({ protocol: /^https?$/, error: 'it is no URL that begins with https:// or http://' })
      .refine((url) => !URL.canParse(url) || new URL(url).username === '', {
        error: 'it has credentials in it, which end up in logs',
      })
      .optional(),
    region: z
      .string()
      .regex(/^[\w-]+$/, { error: 'it is no name of a region' })
      .optional(),
    forcePathStyle: z.boolean().optional(),
    partSize: size
      .refine((given) => inside(parseSize(given), smallestPart, 5 * 2 ** 30), { error: 'it is not from 5MiB to 5GiB' })
      .optional(),
    concurrency: z.int({ error: 'it is no whole number' }).min(2, { error: 'it is less than 2' }).max(64).optional(),
    checksum: z.enum(['crc32', 'sha256', 'none']).optional(),
    serverSideEncryption: z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']).optional(),
    kmsKeyId: z.string().min(1).optional(),
    bucketKey: z.boolean().optional(),
    storageClass: z
      .string()
      .regex(/^[A-Z_]+$/, { error: 'it is no storage class' })
      .refine((name) => !archives.has(name), {
        error: 'it is an archive, which takes hours to be read: nothing stored there could be verified',
      })
      .optional(),
    objectLock: z
      .strictObject({
        mode: z.enum(['GOVERNANCE', 'COMPLIANCE']),
        days: z.int({ error: 'it is no whole number' }).min(1).max(36_500),
      })
      .optional(),
    bandwidth: size.refine((given) => inside(parseSize(given), 1024), { error: 'it is less than 1KiB' }).optional(),
    timeout: duration
      .refine((given) => !isDuration(given) || parseDuration(given) > 0, { error: 'it is zero' })
      .optional(),
    retryFor: duration.optional(),
  })
  .refine(({ kmsKeyId, serverSideEncryption }) => !kmsKeyId || serverSideEncryption?.startsWith('aws:kms') === true, {
    error: "it needs serverSideEncryption: 'aws:kms'",
    path: ['kmsKeyId'],
  })
  .refine(({ objectLock, checksum }) => !objectLock || checksum !== 'none', {
    error: "it can't be 'none' with objectLock: services refuse what they can't check",
    path: ['checksum'],
  })

function inside(bytes: number | undefined, least: number, most = Infinity): boolean {
  return bytes !== undefined && bytes >= least && bytes <= most
}

/** The options after validation, with numbers for sizes and times. */
export interface S3Config extends Omit<S3Options, 'partSize' | 'bandwidth' | 'timeout' | 'retryFor'> {
  readonly prefix: string
  /** Bytes. */
  readonly partSize: number
  readonly concurrency: number
  readonly checksum: 'crc32' | 'sha256' | 'none'
  /** Bytes per second. */
  readonly bandwidth: number | undefined
  readonly timeoutMs: number
  readonly retryForMs: number
}

/**
 * Validates options.
 *
 * @throws HoldfastError `STORAGE_OPTIONS_INVALID`
 */
export function parseOptions(options: S3Options): S3Config {
  const result = schema.safeParse(options)
  if (!result.success) throw invalid(result.error.issues[0])
  const { timeout = '1m', retryFor = '5m', partSize = '8MiB', bandwidth, ...given } = result.data
  return {
    ...given,
    prefix: given.prefix ?? '',
    concurrency: given.concurrency ?? 4,
    checksum: given.checksum ?? 'crc32',
    partSize: parseSize(partSize) ?? smallestPart,
    bandwidth: bandwidth === undefined ? undefined : parseSize(bandwidth),
    timeoutMs: parseDuration(timeout),
    retryForMs: parseDuration(retryFor),
  }
}

/** The names of all options. */
export const optionNames: readonly string[] = Object.keys(schema.shape)

function invalid(issue: z.core.$ZodIssue | undefined): Error {
  const known = optionNames.join(', ')
  if (issue?.code === 'unrecognized_keys')
    return errors.STORAGE_OPTIONS_INVALID({
      option: `option ${issue.keys.join(', ')}`,
      reason: 'it is not known',
      known,
    })
  const path = issue?.path.join('.') ?? ''
  const option = path === '' ? 'options' : `option ${path}`
  return errors.STORAGE_OPTIONS_INVALID({ option, reason: issue?.message ?? 'they are not valid', known })
}
