// What a kube-apiserver says when it says no: bodies as those of 1.34.
import { groupResourceOf, type FakeKind } from './kinds.ts'

/** The body of an answer without an object. */
export interface StatusBody {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, unknown>>
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: StatusDetails
  readonly code?: number
}

/** What a status is about. */
export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[]
  readonly retryAfterSeconds?: number
}

/** A request that ends with a status instead of an object. */
export class StatusError extends Error {
  readonly body: StatusBody
  readonly code: number

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: StatusDetails,
    metadata: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
    this.code = code
    this.body = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details ? { details } : {}),
      code,
    }
  }
}

type About = Pick<FakeKind, 'group' | 'resource'>

function detailsOf({ group, resource }: About, name: string): StatusDetails {
  return { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource }
}

export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized')
}

export function notFound(kind: About, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${groupResourceOf(kind)} "${name}" not found`, detailsOf(kind, name))
}

export function alreadyExists(kind: About, name: string): StatusError {
  const message = `${groupResourceOf(kind)} "${name}" already exists`
  return new StatusError(409, 'AlreadyExists', message, detailsOf(kind, name))
}

export function conflict(kind: About, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${groupResourceOf(kind)} "${name}": ${why}`
  return new StatusError(409, 'Conflict', message, detailsOf(kind, name))
}

export function forbidden(kind: About, name: string, why: string): StatusError {
  const about = name === '' ? groupResourceOf(kind) : `${groupResourceOf(kind)} "${name}"`
  return new StatusError(403, 'Forbidden', `${about} is forbidden: ${why}`, detailsOf(kind, name))
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message)
}

export function gone(message: string): StatusError {
  return new StatusError(410, 'Expired', message)
}

export function internalError(message: string): StatusError {
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })
}

/** What is wrong with one field. */
export interface FieldError {
  readonly field: string
  readonly reason: 'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueTooLong' | 'FieldValueForbidden'
  readonly message: string
}

export function invalid(
  { group, kind }: Pick<FakeKind, 'group' | 'kind'>,
  name: string,
  problems: readonly FieldError[],
): StatusError {
  const lines = problems.map(({ field, message }) => `${field}: ${message}`)
  const all = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  const about = group === '' ? kind : `${kind}.${group}`
  return new StatusError(422, 'Invalid', `${about} "${name}" is invalid: ${all}`, {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    kind,
    causes: problems.map(({ field, reason, message }) => ({ reason, message, field })),
  })
}

const reasons: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  400: ['BadRequest', 'the server rejected our request for an unknown reason'],
  401: ['Unauthorized', 'Unauthorized'],
  403: ['Forbidden', 'forbidden: the fake server was told to refuse'],
  404: ['NotFound', 'the server could not find the requested resource'],
  409: [
    'Conflict',
    'Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again',
  ],
  410: ['Expired', 'The resourceVersion for the provided list is too old.'],
  429: ['TooManyRequests', 'too many requests, please try again later'],
  500: ['InternalError', 'Internal error occurred: the fake server was told to fail'],
  503: ['ServiceUnavailable', 'apiserver is shutting down'],
  504: ['Timeout', 'request did not complete within the allotted timeout'],
}

/** A failure that a test asked for. */
export function failureOf(
  code: number,
  options: { message?: string | undefined; retryAfter?: number | undefined },
): StatusError {
  const [reason, message] = reasons[code] ?? ['', `the fake server was told to answer ${code}`]
  const { retryAfter } = options
  const details = retryAfter === undefined ? undefined : { retryAfterSeconds: retryAfter }
  return new StatusError(code, reason, options.message ?? message, details)
}
