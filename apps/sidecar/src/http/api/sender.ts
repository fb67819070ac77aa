// A web page in somebody's browser must not be able to do anything here: neither one of another origin, nor one whose name
// was made to lead to this address (DNS rebinding). The token alone would keep both out; this keeps out also those who
// learned it.
import { errors } from '../../errors.ts'
import { hostName, isOwnName } from '../host-names.ts'

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
  const name = hostName(host)
  if (name === undefined || !isOwnName(name, allowed)) throw errors.API_HOST({ host })
  const isSame = origin === undefined || origin === `http://${host}` || origin === `https://${host}`
  const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none'
  if (!isSame || isForeign) throw errors.API_ORIGIN({ origin: origin ?? site ?? '' })
}
