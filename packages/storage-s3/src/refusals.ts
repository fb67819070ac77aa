// What services and networks say, in groups. A service that isn't AWS may use any of these names.

/** What is known of an error of the SDK, of Node or of a service. */
export interface Refusal {
  /** The service's code (`AccessDenied`), or the system's (`ECONNREFUSED`). */
  readonly name: string
  readonly reason: string
  /** Of HTTP; `undefined` where nothing answered. */
  readonly status: number | undefined
  /** Of the response. */
  readonly headers: Readonly<Record<string, string>>
  /** The service's id of the request, for its support. */
  readonly requestId: string | undefined
  /** The SDK found the clock wrong and will sign with the service's time from now on. */
  readonly clockCorrected: boolean
}

/** Reads an error; nothing of the request gets in, for that has a signature and a token in it. */
export function readRefusal(error: unknown): Refusal {
  const { name, message, code, $metadata, $response, errors } = error as {
    readonly name?: string
    readonly message?: string
    readonly code?: unknown
    readonly $metadata?: {
      readonly httpStatusCode?: number
      readonly requestId?: string
      readonly clockSkewCorrected?: boolean
    }
    readonly $response?: { readonly statusCode?: number; readonly headers?: Record<string, string> }
    /** Of all addresses of a name that were tried. */
    readonly errors?: readonly unknown[]
  }
  const first = Array.isArray(errors) && !message ? readRefusal(errors[0]) : undefined
  const system = typeof code === 'string' ? code : undefined
  return {
    name: system ?? name ?? 'Error',
    reason: first?.reason ?? oneLine(message || system || name || String(error)),
    status: $metadata?.httpStatusCode ?? $response?.statusCode,
    headers: $response?.headers ?? {},
    requestId: $metadata?.requestId,
    clockCorrected: $metadata?.clockSkewCorrected === true,
  }
}

// What the SDK says of its own options is of no use: nobody here can set them.
function oneLine(text: string): string {
  const line = text
    .replace(/^@smithy\/node-http-handler - /, '')
    .replace(/ \((?:configured by client requestHandler|service default socket timeout)\)\.$/, '')
    .split('\n', 1)[0]
  return line === undefined || line.length <= 300 ? (line ?? text) : `${line.slice(0, 300).toWellFormed()}…`
}

const has = (...names: readonly string[]) => {
  const known = new Set(names)
  return ({ name }: Refusal): boolean => known.has(name)
}

/** The bytes that arrived are not those that were sent. */
export const isChecksum = has(
  'BadDigest',
  'InvalidDigest',
  'XAmzContentSHA256Mismatch',
  'XAmzContentChecksumMismatch',
  'IncompleteBody',
)
/** There are credentials, and the service doesn't take them. */
export const isUnknownKey = has(
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidSecurity',
  'UnrecognizedClientException',
  'XAdminUserNotFound',
)
export const isExpired = has('ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'InvalidToken')
/**
 * There is no such object. Nothing else counts that says 404: a proxy, a mistyped endpoint. Who takes that for an answer
 * takes a store for empty.
 */
export const isMissing = has('NoSuchKey')
/** The chain found none, or what it asked didn't answer. */
export const isWithoutCredentials = has('CredentialsProviderError', 'ProviderError', 'TokenProviderError')
export const isSkewed = has('RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture')
export const isFull = has(
  'XMinioStorageFull',
  'XMinioAdminBucketQuotaExceeded',
  'QuotaExceeded',
  'QuotaExceededException',
  'InsufficientStorage',
  'StorageQuotaExceeded',
)
export const isTooLarge = has('EntityTooLarge', 'MaxMessageLengthExceeded')
export const isArchived = has('InvalidObjectState')
/** Wrong region, in all the ways of saying so. */
export const isElsewhere = has(
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'Redirect',
  'TemporaryRedirect',
)
const isThrottled = has(
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequests',
  'BandwidthLimitExceeded',
  'RequestThrottled',
)

/** The service has too much to do. */
export function isBusy(refusal: Refusal): boolean {
  return (
    isThrottled(refusal) || refusal.status === 429 || (refusal.status === 503 && refusal.name === 'ServiceUnavailable')
  )
}

const untrusted =
  /^(CERT_|ERR_TLS_CERT|ERR_SSL_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)|EPROTO$)/

/** The other end is there and isn't who it should be, or speaks no TLS. */
export function isUntrusted({ name, status }: Refusal): boolean {
  return status === undefined && untrusted.test(name)
}

const isNetwork = has(
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'TimeoutError',
  'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_CONSTANT',
  'EADDRNOTAVAIL',
)

/** Nothing answered, or not to the end. */
export function isUnreachable(refusal: Refusal): boolean {
  return (
    isNetwork(refusal) ||
    (refusal.status === undefined && /socket hang up|aborted|connection lost/i.test(refusal.reason))
  )
}

/** Something answered that speaks no S3: a proxy, a web page, another service. */
export function isForeign({ reason, status }: Refusal): boolean {
  return status !== undefined && (reason === 'UnknownError' || reason.startsWith('@aws-sdk XML parse error'))
}

/** Whether the same request may succeed in a moment. */
export function isTransient(refusal: Refusal): boolean {
  const { status, name, clockCorrected } = refusal
  if (isFull(refusal)) return false
  if (isUnreachable(refusal) || isBusy(refusal) || isChecksum(refusal) || clockCorrected) return true
  return (
    (status !== undefined && status >= 500 && status !== 501 && status !== 507) ||
    status === 408 ||
    name === 'RequestTimeout'
  )
}
