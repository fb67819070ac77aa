import type { HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { describeSubject, ruleFor, type ApiSubject } from './api-path.ts'
import type { Connection } from './connection.ts'

/** The longest text of an API server that goes into a message. */
const longestReason = 400

/** What an answer of the API server that is no success means. */
export function apiError(status: number, body: string, subject: ApiSubject, connection: Connection): HoldfastError {
  const { verb, apiGroup, resource } = subject
  const what = describeSubject(subject)
  const reason = reasonIn(body) ?? `HTTP ${status}`
  const details = { status, said: reason }
  switch (status) {
    case 401:
      return errors.KUBERNETES_UNAUTHORIZED({ verb, what, source: connection.source }, { details })
    case 403:
      return errors.KUBERNETES_FORBIDDEN(
        { verb, what, rule: ruleFor({ apiGroup, resource, verbs: [verb] }) },
        { details },
      )
    case 404:
      return errors.KUBERNETES_NOT_FOUND({ verb, what }, { details })
    case 409:
      return errors.KUBERNETES_CONFLICT({ verb, what, reason }, { details })
    case 410:
      return errors.KUBERNETES_EXPIRED({ verb, what }, { details })
    default:
      if (!isRefusal(status)) {
        return errors.KUBERNETES_UNAVAILABLE({ verb, what, server: connection.server.host, reason }, { details })
      }
      return errors.KUBERNETES_INVALID({ verb, what, status, reason }, { details })
  }
}

/** Whether the server understood and said no: trying again can't help. */
export function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

/** The message of a Status object, or the beginning of whatever a proxy answered. */
export function reasonIn(body: string): string | undefined {
  let text = body
  try {
    const status = JSON.parse(body) as { message?: unknown }
    if (typeof status.message === 'string') text = status.message
  } catch {
    // Not an API server's own words.
  }
  const line = text.replaceAll(/\s+/g, ' ').trim()
  if (line === '') return undefined
  return line.length > longestReason ? `${line.slice(0, longestReason).toWellFormed()}…` : line
}
