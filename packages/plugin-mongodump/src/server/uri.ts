import { errors } from '../errors.ts'

/** The parts of a connection string, as far as they matter here. Nothing is decoded. */
export interface MongoUri {
  readonly scheme: 'mongodb' | 'mongodb+srv'
  /** With its `@`; empty without one. A secret. */
  readonly userinfo: string
  /** With their ports. */
  readonly hosts: readonly string[]
  /** What follows the slash: where the user is, and nothing else, see {@link formatUri}. */
  readonly path: string
  readonly options: readonly (readonly [name: string, value: string])[]
}

const aHost = /^(?:\[[\da-f:.%]+\]|[^:[\]]+)(?::\d{1,5})?$/i

/**
 * Takes a connection string apart.
 *
 * @throws HoldfastError `MONGODB_URI`; it never says what was in it
 */
export function parseUri(text: string): MongoUri {
  const [, scheme, rest = ''] = /^(mongodb(?:\+srv)?):\/\/(.*)$/s.exec(text) ?? []
  if (scheme !== 'mongodb' && scheme !== 'mongodb+srv') {
    throw errors.MONGODB_URI({ problem: 'it does not begin with mongodb:// or mongodb+srv://' })
  }
  if (/\s/.test(rest)) throw errors.MONGODB_URI({ problem: 'it has spaces or line ends in it' })
  const [before, query] = cut(rest, '?')
  const [authority, path] = cut(before, '/')
  const at = authority.lastIndexOf('@')
  const hosts = authority.slice(at + 1).split(',')
  if (hosts.some((host) => host === '')) throw errors.MONGODB_URI({ problem: 'it names no host' })
  // Where a password has a / or a ? in it, a part of it would be the host, and hosts are told to everybody.
  const isCut = path.includes('@') || (at === -1 && query.includes('@'))
  if (isCut || !hosts.every((host) => aHost.test(host)))
    throw errors.MONGODB_URI({
      problem: 'a host of it is none, or a /, ? or @ of its user or password is not percent-encoded',
    })
  const options = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => cut(pair, '='))
  return { scheme, userinfo: authority.slice(0, at + 1), hosts, path, options }
}

/**
 * A connection string for the tools and the driver alike. The database behind the slash is where the user is kept; to
 * mongodump it is also what is dumped, so that `/admin` would quietly leave out everything else. Here `database` says what is
 * dumped, and the path becomes `authSource`. One host is taken at its word, as the tools do: the driver would go and look for
 * the others of its replica set.
 */
export function formatUri(uri: MongoUri): string {
  const { scheme, userinfo, hosts, path, options } = uri
  const has = (name: string): boolean => options.some(([each]) => each.toLowerCase() === name.toLowerCase())
  const mechanism = optionOf(uri, 'authMechanism')
  const byPassword = userinfo !== '' && (mechanism === undefined || mechanism.startsWith('SCRAM'))
  const all = [
    ...options,
    ...(path !== '' && byPassword && !has('authSource') ? [['authSource', path]] : []),
    ...(isOneHost(uri) && !has('directConnection') ? [['directConnection', 'true']] : []),
  ]
  const query = all.map(([name, value]) => `${name}=${value}`).join('&')
  return `${scheme}://${userinfo}${hosts.join(',')}/${query === '' ? '' : `?${query}`}`
}

/** Where it leads, for people: no secrets. */
export function hostsOf({ scheme, hosts }: MongoUri): string {
  return `${scheme === 'mongodb+srv' ? 'srv ' : ''}${hosts.join(',')}`
}

/** An option's value, as it is written; names are the same in capitals and in small letters. */
export function optionOf({ options }: MongoUri, name: string): string | undefined {
  return options.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1]
}

/** Whether exactly one server is meant, and no other of its replica set. */
export function isOneHost(uri: MongoUri): boolean {
  return (
    uri.scheme === 'mongodb' &&
    uri.hosts.length === 1 &&
    optionOf(uri, 'replicaSet') === undefined &&
    optionOf(uri, 'loadBalanced') !== 'true' &&
    optionOf(uri, 'directConnection') !== 'false'
  )
}

/** Whether it leads to another server from another machine. */
export function isLoopback({ hosts }: MongoUri): boolean {
  return hosts.some((host) => /^(localhost|127\.[\d.]+|\[::1\]|.*\.sock)(:\d+)?$/i.test(host))
}

/** Blanks who logs in, wherever a tool printed a connection string. */
export function withoutUserinfo(text: string): string {
  return text.replaceAll(/(mongodb(?:\+srv)?:\/\/)[^\s/]*@/g, '$1')
}

function cut(text: string, at: string): readonly [string, string] {
  const index = text.indexOf(at)
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}
