import type * as Ws from 'ws'
import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { errors } from '../../errors.ts'
import { reasonOf } from '../../failure.ts'
import type { Credentials } from '../../kubernetes/connection.ts'
import { linkSignals } from '../../lifecycle/signals.ts'
import { untilAborted } from '../../until-aborted.ts'
import { isTransient, refusalOf, type StartContext } from './refusals.ts'
import type { ContainerServices } from './services.ts'

/** What is opened. */
export interface UpgradeOptions extends StartContext {
  readonly services: Pick<ContainerServices, 'clock' | 'random'>
  /** With its query. */
  readonly path: string
  /** In the order of preference. */
  readonly protocols: readonly string[]
  /** Whether nothing is run before something is sent, so that a handshake that is lost may be repeated. */
  readonly repeatable: boolean
  /** When it must be open, as monotonic time. */
  readonly deadline: number
  readonly signal: AbortSignal
}

const backoffMs = { first: 200, longest: 3000 }
const longestAnswer = 64 * 1024
/** Servers send 32 KiB at a time. */
const longestMessage = 8 * 2 ** 20
/** The server was not there: nothing was sent to it. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

// With the first command in a container: it costs 11 MB, which an idle daemon doesn't need.
let loading: Promise<typeof Ws> | undefined

/**
 * Opens the connection of an exec. What failed before anything was run is tried again, with jitter, until the deadline;
 * refused credentials are read again once.
 *
 * @returns the connection, paused: nothing is lost until somebody listens
 * @throws HoldfastError `EXEC_…`, or the signal's reason
 */
export async function upgrade(options: UpgradeOptions): Promise<Ws.WebSocket> {
  const { services, deadline, signal, command, repeatable } = options
  const { clock, random } = services
  const { WebSocket } = await (loading ??= import('ws'))
  let refresh = false
  let refreshed = false
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted()
    const credentials = await credentialsOf(options, refresh)
    const answer = await open(WebSocket, credentials, options)
    if ('socket' in answer) return answer.socket
    signal.throwIfAborted()
    const { error, status, retryAfterMs = 0, again } = explain(answer, options)
    const renew = !refreshed && (status === 401 || isCertificate(answer))
    refresh = renew
    if (renew) {
      refreshed = true
      continue
    }
    if (again === 'never' || (again === 'if repeatable' && !repeatable)) throw error
    const longest = Math.min(backoffMs.first * 2 ** attempt, backoffMs.longest)
    const pause = retryAfterMs + Math.round((0.5 + random() / 2) * longest)
    if (clock.monotonic() + pause >= deadline) throw error
    await clock.sleep(pause, signal)
    if (clock.monotonic() >= deadline) throw errors.EXEC_UNREACHABLE({ command, reason: reasonOf(error) })
  }
}

async function credentialsOf(options: UpgradeOptions, refresh: boolean): Promise<Credentials> {
  const { connection, command, deadline, signal } = options
  const { clock } = options.services
  const ms = Math.max(0, deadline - clock.monotonic())
  const link = linkSignals([signal], { clock, ms, reason: () => new TooLate('they did not come in time') })
  try {
    return await untilAborted(connection.credentials({ refresh }), link.signal)
  } catch (error) {
    signal.throwIfAborted()
    if (isHoldfastError(error)) throw error
    throw errors.EXEC_UNREACHABLE(
      { command, reason: `the credentials of ${connection.source} can't be read: ${reasonOf(error)}` },
      { cause: error },
    )
  } finally {
    link.close()
  }
}

type Answer =
  | { readonly socket: Ws.WebSocket }
  | { readonly response: { readonly status: number; readonly body: string; readonly retryAfterMs: number | undefined } }
  | { readonly failure: unknown }

class TooLate extends Error {}

function open(
  WebSocket: typeof Ws.WebSocket,
  { headers, tls, agent }: Credentials,
  options: UpgradeOptions,
): Promise<Answer> {
  const { connection, path, protocols, deadline, signal, services } = options
  const { server } = connection
  const secure = server.protocol !== 'http:'
  const url = `${secure ? 'wss' : 'ws'}://${server.host}${server.pathname.replace(/\/$/, '')}${path}`
  const socket = new WebSocket(url, [...protocols], {
    ...tls,
    ...(agent && { agent }),
    headers: { 'user-agent': 'holdfast', ...headers },
    perMessageDeflate: false,
    skipUTF8Validation: true,
    followRedirects: false,
    maxPayload: longestMessage,
  })
  return new Promise((resolve) => {
    const settle = (answer: Answer): void => {
      cancel()
      signal.removeEventListener('abort', abort)
      socket.off('open', opened)
      resolve(answer)
      if (!('socket' in answer)) socket.terminate()
    }
    const abort = (): void => settle({ failure: signal.reason })
    const opened = (): void => {
      socket.pause()
      settle({ socket })
    }
    const left = Math.max(0, deadline - services.clock.monotonic())
    const cancel = services.clock.setTimer(left, () => settle({ failure: new TooLate('it did not answer in time') }))
    signal.addEventListener('abort', abort, { once: true })
    socket.on('open', opened)
    // Stays: what fails later also closes, and an error without a listener would end the process.
    socket.on('error', (failure) => settle({ failure }))
    socket.on('unexpected-response', (_request, response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        if (body.length < longestAnswer) body += text
      })
      const status = response.statusCode ?? 0
      const seconds = Number(response.headers['retry-after'])
      const retryAfterMs = seconds > 0 ? seconds * 1000 : undefined
      response.once('close', () => settle({ response: { status, body, retryAfterMs } }))
      response.once('error', () => {})
    })
  })
}

interface Explained {
  readonly error: HoldfastError
  readonly status?: number
  readonly retryAfterMs?: number | undefined
  readonly again: 'always' | 'if repeatable' | 'never'
}

function explain(answer: Exclude<Answer, { socket: Ws.WebSocket }>, options: UpgradeOptions): Explained {
  const { command, connection, halfClose } = options
  if ('response' in answer) {
    const { status, body, retryAfterMs } = answer.response
    const error = refusalOf(status, body, options)
    const again = isTransient(status) && error.code === 'EXEC_UNREACHABLE' ? 'always' : 'never'
    return { error, status, retryAfterMs, again }
  }
  const { failure } = answer
  const reason = reasonOf(failure)
  if (/subprotocol/.test(reason)) {
    const error = halfClose
      ? errors.EXEC_NO_HALF_CLOSE({ command, reason }, { cause: failure })
      : errors.EXEC_REFUSED({ command, status: 101, said: reason }, { cause: failure })
    return { error, again: 'never' }
  }
  const { code } = failure as NodeJS.ErrnoException
  const error = errors.EXEC_UNREACHABLE(
    { command, reason: `the API server ${connection.server.host} can't be reached: ${reason}` },
    { cause: failure },
  )
  if (failure instanceof TooLate || isCertificate(answer)) return { error, again: 'never' }
  return { error, again: code !== undefined && neverSent.has(code) ? 'always' : 'if repeatable' }
}

/** Ours may be that of yesterday. */
function isCertificate(answer: Exclude<Answer, { socket: Ws.WebSocket }>): boolean {
  if (!('failure' in answer)) return false
  const code = String((answer.failure as NodeJS.ErrnoException).code)
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_SSL|ERR_TLS/.test(code)
}
