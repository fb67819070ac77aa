import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { failureOf } from './status.ts'

/** Which requests a bad day is for. */
export interface RequestMatch {
  readonly method?: string | undefined
  /** Tested against the path, without the query. */
  readonly path?: RegExp | undefined
  /** How often. Default: until it is ended. */
  readonly times?: number | undefined
}

/** A status that is answered instead of doing what was asked. */
export interface StatusFailure {
  readonly status: number
  /** Seconds, for the header and the body. */
  readonly retryAfter?: number | undefined
  /** Default: what a real server says with that status. */
  readonly message?: string | undefined
}

/**
 * How a request goes wrong.
 *
 * - a status: nothing is done
 * - `slow`: it is done, and answered when the bad day is ended, or after ten seconds
 * - `half-open`: read, never answered; the connection stays
 * - `reset`, `closes`: the connection goes instead of an answer (RST, FIN)
 * - `lost-answer`: it is **done**, and the connection is reset instead of the answer
 * - `truncated`: done, and the connection is reset in the middle of the answer's body
 * - `stalls`: done, and the answer stops in the middle; the connection stays
 * - `not-json`: answered with 200 and a page of HTML, as a proxy in between does
 */
export type RequestFault =
  StatusFailure | 'slow' | 'half-open' | 'reset' | 'closes' | 'lost-answer' | 'truncated' | 'stalls' | 'not-json'

/** A bad day that goes on. */
export interface BadDay {
  /** How many met it. */
  readonly hits: number
  /** Ends it: for what comes, and for what waits. */
  end(): void
}

/** What is asked of the next request: what is wrong with it, and when that ends. */
export interface Trouble<Fault> {
  readonly fault: Fault
  readonly ended: Promise<void>
}

/** Bad days in the order in which they were asked for: the first that is meant and not used up counts. */
export interface BadDays<Match extends { readonly times?: number | undefined }, Fault> {
  add(match: Match, fault: Fault): BadDay
  next(meant: (match: Match) => boolean): Trouble<Fault> | undefined
  endAll(): void
}

export function createBadDays<Match extends { readonly times?: number | undefined }, Fault>(): BadDays<Match, Fault> {
  const days = new Set<{ match: Match; fault: Fault; hits: number; ended: Promise<void>; end: () => void }>()
  return {
    add(match, fault) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const day = {
        match,
        fault,
        hits: 0,
        ended: promise,
        end() {
          days.delete(day)
          resolve()
        },
      }
      days.add(day)
      return day
    },
    next(meant) {
      for (const day of days) {
        if (day.hits >= (day.match.times ?? Infinity) || !meant(day.match)) continue
        day.hits++
        return day
      }
      return undefined
    },
    endAll() {
      for (const day of days) day.end()
    },
  }
}

const slowMs = 10_000

/**
 * Makes a request go wrong.
 *
 * @param answer - does what was asked and returns the answer's body
 * @param reset - ends a connection without a word
 */
export async function misbehave(
  { fault, ended }: Trouble<RequestFault>,
  request: IncomingMessage,
  response: ServerResponse,
  answer: () => { readonly status: number; readonly type: string; readonly body: string } | undefined,
  reset: (socket: Socket) => void,
): Promise<void> {
  const { socket } = request
  if (typeof fault === 'object') {
    const { code, body } = failureOf(fault.status, fault)
    const { retryAfter } = fault
    response.writeHead(code, {
      'content-type': 'application/json',
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    })
    response.end(JSON.stringify(body))
    return
  }
  switch (fault) {
    case 'half-open':
      return
    case 'reset':
      reset(socket)
      return
    case 'closes':
      socket.end()
      return
    case 'not-json':
      response.writeHead(200, { 'content-type': 'text/html' })
      response.end('<!DOCTYPE html><title>502 Bad Gateway</title>')
      return
    case 'lost-answer':
      answer()
      reset(socket)
      return
    case 'slow':
    case 'truncated':
    case 'stalls': {
      const given = answer()
      // A watch answers by itself.
      if (!given) return
      if (fault === 'slow') await whenEnded(ended, response)
      const { status, type, body } = given
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
      if (fault === 'slow') response.end(body)
      else {
        response.write(body.slice(0, body.length / 2), () => {
          if (fault === 'truncated') reset(socket)
        })
      }
    }
  }
}

async function whenEnded(ended: Promise<void>, response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, slowMs)
  response.once('close', resolve)
  await Promise.race([ended, promise])
  clearTimeout(timer)
}
