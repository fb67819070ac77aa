/** What {@link parseGateway} takes, for messages. */
export const gatewayForms = 'a URL such as http://pushgateway:9091, or host:port'

/**
 * Reads the address of a Pushgateway: `host:port` or a URL, with a path where a proxy wants one.
 *
 * @returns `undefined` when it is neither
 */
export function parseGateway(address: string): URL | undefined {
  const hasScheme = /^https?:\/\//i.test(address)
  if (!hasScheme && address.includes('://')) return undefined
  const url = URL.parse(hasScheme ? address : `http://${address}`)
  if (url === null || url.hostname === '' || url.search !== '' || url.hash !== '') return undefined
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}

/** An address for messages: without a password. */
export function shownGateway({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}
