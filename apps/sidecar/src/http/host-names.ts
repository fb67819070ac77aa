// Names under which this host is asked. A browser believes a page from `http://evil.example` to be one with us when that
// name was made to lead to our address (DNS rebinding), and then lets it read and send what it likes. What it can't do is
// to hide the name.
import { isIP } from 'node:net'
import { hostname } from 'node:os'

/** The name in a header `Host`, in small letters: of `name:port`, `[::1]:port` or a name alone. */
export function hostName(header: string): string | undefined {
  const [, six, name] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(header) ?? []
  return (six ?? name)?.toLowerCase().replace(/\.$/, '')
}

/**
 * Whether a name leads only here, whoever uses it: an address, `localhost`, a name without a dot, this host, a service of
 * the cluster, or one that is allowed.
 *
 * @param allowed - further names; `.example.com` is every one below it, too
 */
export function isOwnName(name: string, allowed: readonly string[]): boolean {
  if (isIP(name) !== 0 || !name.includes('.')) return true
  if (name === hostname().toLowerCase() || /\.(localhost|svc|cluster\.local)$/.test(name)) return true
  return allowed.map((each) => each.toLowerCase()).some((each) => each === name || isBelow(name, each))
}

function isBelow(name: string, allowed: string): boolean {
  return allowed.startsWith('.') && `.${name}`.endsWith(allowed)
}
