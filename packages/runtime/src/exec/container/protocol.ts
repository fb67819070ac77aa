/** The first byte of each message says what the rest is. */
export const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const

/** Knows the end of stdin; since Kubernetes 1.30 in every API server. */
export const protocolV5 = 'v5.channel.k8s.io'
/** Knows it not: a client that closes loses what the command prints after it. */
export const protocolV4 = 'v4.channel.k8s.io'

/** A container, by names alone. */
export interface Place {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  /** Of this start of the container; `undefined` where nobody looked. */
  readonly containerId: string | undefined
}

/** The path below the API server's own that runs a command. */
export function execPath({ namespace, pod }: Place): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec`
}

/** What is asked of the path. */
export function execQuery({ container }: Place, argv: readonly string[], stdin: boolean): string {
  const options = `container=${encode(container)}&stdin=${stdin}&stdout=true&stderr=true&tty=false`
  return [options, ...argv.map((arg) => `command=${encode(arg)}`)].join('&')
}

/** Not by URLSearchParams, which takes milliseconds for a script. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll('%20', '+')
}

/** How a command ended, in the cluster's words. */
export type RemoteStatus =
  | { readonly exitCode: number }
  /** It did not: the cluster could not run it, or doesn't know. */
  | { readonly exitCode?: undefined; readonly said: string }

interface StatusObject {
  readonly status?: unknown
  readonly message?: unknown
  readonly reason?: unknown
  readonly details?: { readonly causes?: readonly { readonly reason?: unknown; readonly message?: unknown }[] | null }
}

/**
 * Reads what came on the status channel. Success is only what says so; an exit code only what is one.
 *
 * @returns `undefined` while it is no JSON: the rest may be under way
 * @throws Error when it is no status
 */
export function readStatus(text: string): RemoteStatus | undefined {
  let object: StatusObject | null
  try {
    object = JSON.parse(text) as StatusObject | null
  } catch {
    return undefined
  }
  if (object?.status === 'Success') return { exitCode: 0 }
  if (object?.status !== 'Failure') throw new Error(unreadable(text))
  const cause = object.details?.causes?.find((each) => each.reason === 'ExitCode')
  const exitCode = typeof cause?.message === 'string' && /^\d+$/.test(cause.message) ? Number(cause.message) : 0
  if (exitCode !== 0) return { exitCode }
  return { said: excerpt(typeof object.message === 'string' ? object.message : text) }
}

/** What is wrong with a status that is none. */
export function unreadable(text: string): string {
  return `its status is not readable: ${excerpt(text)}`
}

/** The beginning of a text, on one line. */
export function excerpt(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 400 ? `${line.slice(0, 400).toWellFormed()}…` : line || 'nothing'
}
