import { isIPv6 } from 'node:net'

/** Where to listen. */
export interface ListenAddress {
  /** `undefined`: every address of the machine. */
  readonly host: string | undefined
  /** 0: nowhere. */
  readonly port: number
}

/** What {@link parseListenAddress} takes, for messages. */
export const listenForms = 'a port, or host:port such as 127.0.0.1:9480 or [::1]:9480; 0 is off'

/**
 * Reads a port, `host:port`, `:port` or `[IPv6]:port`.
 *
 * @returns `undefined` when it is none of these
 */
export function parseListenAddress(value: string | number): ListenAddress | undefined {
  const parts = /^(?:(?:\[(?<ipv6>[^\]]*)\]|(?<host>[\w.-]*)):)?(?<port>\d{1,5})$/.exec(`${value}`.trim())?.groups
  const { ipv6, host, port } = parts ?? {}
  if (port === undefined || Number(port) > 65_535) return undefined
  if (ipv6 !== undefined && !isIPv6(ipv6)) return undefined
  return { host: ipv6 ?? (host || undefined), port: Number(port) }
}
