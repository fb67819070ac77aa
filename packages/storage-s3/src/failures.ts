import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { errors, type Operation } from './errors.ts'
import {
  isArchived,
  isBusy,
  isChecksum,
  isElsewhere,
  isExpired,
  isForeign,
  isFull,
  isMissing,
  isSkewed,
  isTooLarge,
  isUnknownKey,
  isUnreachable,
  isUntrusted,
  isWithoutCredentials,
  readRefusal,
  type Refusal,
} from './refusals.ts'
import { failed, full, notFound } from './shared-failures.ts'

/** What was done to what, for messages. */
export interface About {
  readonly operation: Operation
  readonly key: string
}

/** Where, for messages. */
export interface Place {
  readonly bucket: string
  /** `s3://bucket/prefix`. */
  readonly store: string
  readonly endpoint: string
  readonly region: string
}

/** What each operation needs to be allowed. */
const actions: Readonly<Record<Operation, string>> = {
  put: 's3:PutObject and s3:AbortMultipartUpload (with objectLock s3:PutObjectRetention, with a KMS key kms:GenerateDataKey and kms:Decrypt)',
  get: 's3:GetObject (with a KMS key kms:Decrypt), and s3:ListBucket, without which a missing object looks like a forbidden one,',
  list: 's3:ListBucket',
  delete: 's3:DeleteObject',
  sweep: 's3:ListBucketMultipartUploads and s3:AbortMultipartUpload',
}

/** An error of the SDK as one of the store's. */
export function storageFailure(error: unknown, { operation, key }: About, place: Place): HoldfastError {
  if (isHoldfastError(error)) return error
  const refusal = readRefusal(error)
  const { name, status, reason, headers } = refusal
  const { bucket, store, endpoint, region } = place
  const cause = causeOf(refusal)
  const about = { operation, key, store }
  if (isWithoutCredentials(refusal)) return errors.STORAGE_CREDENTIALS_MISSING({ store, reason }, { cause })
  if (reason === 'Region is missing')
    return errors.STORAGE_OPTIONS_INVALID(
      { option: 'option region', reason: 'it is missing, and AWS_REGION is not set', known: 'region' },
      { cause },
    )
  if (isUntrusted(refusal)) return errors.STORAGE_TLS({ endpoint, reason }, { cause })
  if (isExpired(refusal)) return errors.STORAGE_CREDENTIALS_EXPIRED(about, { cause })
  if (isUnknownKey(refusal)) return errors.STORAGE_CREDENTIALS_REFUSED({ ...about, reason }, { cause })
  if (isSkewed(refusal)) return errors.STORAGE_CLOCK_SKEW({ store, reason }, { cause })
  if (isChecksum(refusal) || reason.startsWith('Checksum mismatch'))
    return errors.STORAGE_CHECKSUM({ operation, key, reason }, { cause })
  if (isFull(refusal) || status === 507) return full(key, reason, cause)
  if (isTooLarge(refusal)) return errors.STORAGE_TOO_LARGE({ key, reason }, { cause })
  if (isArchived(refusal)) return errors.STORAGE_ARCHIVED({ key, store, reason }, { cause })
  if (name === 'NoSuchBucket') return errors.STORAGE_BUCKET_MISSING({ bucket, endpoint }, { cause })
  if (isElsewhere(refusal) || status === 301)
    return errors.STORAGE_REGION(
      { bucket, region, actual: headers['x-amz-bucket-region'] ?? regionIn(reason) },
      { cause },
    )
  if (/Object ?Lock/i.test(reason) && operation === 'put' && status === 400)
    return errors.STORAGE_NO_OBJECT_LOCK({ bucket, reason }, { cause })
  if (operation === 'get' && isMissing(refusal)) return notFound(key, cause)
  if (name === 'AccessDenied' || status === 403 || status === 401)
    return errors.STORAGE_DENIED({ ...about, reason, actions: actions[operation] }, { cause })
  if (isForeign(refusal)) return foreign(place, `HTTP ${status}`, cause)
  if (isBusy(refusal)) return errors.STORAGE_BUSY({ ...about, reason }, { cause })
  if (isUnreachable(refusal)) return errors.STORAGE_UNREACHABLE({ endpoint, reason }, { cause })
  return failed(operation, key, status === undefined || name === 'Error' ? reason : `${name}: ${reason}`, cause)
}

/** What answers at the endpoint is no service of this kind. */
export function foreign({ endpoint }: Place, answer: string, cause?: unknown): HoldfastError {
  return errors.STORAGE_UNREACHABLE({ endpoint, reason: `what answers there does not speak S3 (${answer})` }, { cause })
}

/** `…; expecting 'eu-west-1'` is how AWS says it. */
function regionIn(reason: string): string {
  return /expecting '([\w-]+)'/.exec(reason)?.[1] ?? 'another one'
}

/** What the service itself said, and nothing of the request: that has a signature and a token in it. */
function causeOf({ name, status, requestId }: Refusal): Error {
  const known = [
    name,
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
  ]
  return Object.assign(new Error(known.join(', ')), { name, code: name })
}
