import { hostName, isOwnName } from './host-names.ts'
import type { PageRequest } from './pages.ts'

/** Whether somebody may read under the name by which they ask. */
export interface HostCheck {
  /**
   * From now on. A list is about everybody, but for `/healthz`. Without one, any name will do, but for the page and the API
   * from this machine: proxies, scrapers and probes come from elsewhere and ask by names of theirs, and what comes over the
   * loopback interface is most likely somebody's browser.
   */
  allow(names: readonly string[] | undefined): void
  /** What is allowed besides the usual names. */
  names(): readonly string[]
  /** @returns the name that is not allowed; `undefined` when nothing is wrong with it */
  refused(request: PageRequest, page: { readonly path: string; readonly isSite: boolean }): string | undefined
}

/**
 * As long as nothing is said, nothing is allowed.
 *
 * @param always - names that are allowed in any case
 */
export function createHostCheck(always: readonly string[]): HostCheck {
  let allowed: readonly string[] | undefined
  const names = (): readonly string[] => [...always, ...(allowed ?? [])]

  return {
    allow(given) {
      allowed = given
    },
    names,
    refused({ method, headers = {}, peer }, { path, isSite }) {
      // Who wants to do something is looked at more closely, and counted: api/sender.ts.
      if (method === 'POST' && isSite) return undefined
      // At the socket of the state directory no browser asks. Nobody reads anything from /healthz.
      if (peer === undefined || path === '/healthz' || allowed?.includes('*')) return undefined
      const { host = '', 'sec-fetch-site': site } = headers
      // A browser always says whom it asks.
      if (host === '') return undefined
      // It sends this, which no page can, only by TLS or to localhost: names of others have no certificate there.
      const isUnproven = isSite && isLoopback(peer) && site === undefined
      if (allowed === undefined && !isUnproven) return undefined
      const name = hostName(host)
      return name !== undefined && isOwnName(name, names()) ? undefined : host
    },
  }
}

/** Of all such addresses the one that the kernel takes by itself. Service meshes use others. */
function isLoopback(address: string): boolean {
  return ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(address)
}
