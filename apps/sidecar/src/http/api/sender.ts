// A web page in somebody's browser must not be able to do anything here: neither one of another origin, nor one whose name
// was made to lead to this address (DNS rebinding). The token alone would keep both out; this keeps out also those who
// learned it.
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { errors } from '../../errors.ts'

/** The headers that say who sent a request, and to whom. */
export interface SenderHeaders {
  readonly host?: string | undefined
  readonly origin?: string | undefined
  readonly 'sec-fetch-site'?: string | undefined
}

/**
 * Refuses what a web page may have sent.
 *
 * @param allowed - names besides addresses, localhost, this host and services of a cluster
 * @throws HoldfastError `API_HOST`, `API_ORIGIN`
 */
export function checkSender(headers: SenderHeaders, allowed: readonly string[]): void {
  const { host = '', origin, 'sec-fetch-site': site } = headers
  const name = nameIn(host)
  if (name === undefined || !isOurs(name, allowed)) throw errors.API_HOST({ host })
  const isSame = origin === undefined || origin === `http://${host}` || origin === `https://${host}`
  const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none'
  if (!isSame || isForeign) throw errors.API_ORIGIN({ origin: origin ?? site ?? '' })
}

/** Of `name:port`, `[::1]:port` or a name alone; in small letters. */
function nameIn(host: string): string | undefined {
  const [, six, name] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host) ?? []
  return (six ?? name)?.toLowerCase().replace(/\.$/, '')
}

function isOurs(name: string, allowed: readonly string[]): boolean {
  if (isIP(name) !== 0 || !name.includes('.')) return true
  if (name === hostname().toLowerCase() || /\.(localhost|svc|cluster\.local)$/.test(name)) return true
  return allowed.some((each) => each.toLowerCase() === name)
}
