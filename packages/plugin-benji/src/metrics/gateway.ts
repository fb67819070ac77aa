import type { BenjiEngine } from '../engine.ts'

/**
 * The address that the metrics of Benji's tools go to.
 *
 * @returns `undefined` when nothing is pushed: not asked for, or `PROM_PUSH_GATEWAY` is unset or empty
 */
export function gatewayOf(engine: BenjiEngine | undefined, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { compatMetrics = false } = engine ?? {}
  if (compatMetrics === false) return undefined
  const address = compatMetrics === true ? env['PROM_PUSH_GATEWAY'] : compatMetrics.gateway
  return address?.trim() || undefined
}

/**
 * Reads `host:port`, `:port` (this machine) or a URL, with a path where a proxy wants one.
 *
 * @returns `undefined` when it is none of these
 */
export function parseGateway(address: string): URL | undefined {
  const scheme = /^(https?:)\/\//i.exec(address)
  if (!scheme && address.includes('://')) return undefined
  const rest = scheme ? address.slice(scheme[0].length) : address
  // A missing host is this machine, by its number: a name could lead to IPv6, where the Pushgateway may not listen.
  const complete = `${scheme?.[1] ?? 'http:'}//${rest.replace(/^(?=:)/, '127.0.0.1')}`
  const url = URL.parse(complete)
  if (url === null || url.hostname === '' || url.search !== '' || url.hash !== '') return undefined
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}

/** An address for messages: without a password. */
export function shownGateway({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}
