import { isHoldfastError, type SecretRef, type ServiceContext, type Sink } from '@holdfast/sdk'
import { describePlace, type Place } from '../place.ts'
import { ConnectionFailure, type Commands } from './commands.ts'
import { openDriver } from './driver-commands.ts'
import { connectionError, createMongoServer, type MongoServer } from './mongo-server.ts'
import { openMongosh } from './mongosh-commands.ts'
import type { Topology } from './topology.ts'
import { formatUri, hostsOf, isLoopback, parseUri } from './uri.ts'

/** What opening a server needs of any context. */
export type ServerContext = Pick<ServiceContext<unknown>, 'exec' | 'signal' | 'log' | 'secrets'>

/** How to get to a server. */
export interface ServerAddress {
  /** As the tools reach it, where they run. */
  readonly uri: SecretRef
  /** As Holdfast itself reaches it, where that is another address. */
  readonly controlUri?: SecretRef | undefined
  /** Where the tools run. */
  readonly place: Place
}

/** A server that can be asked; or why none can. What can't be asked is said, never assumed. */
export type Access =
  | { readonly server: MongoServer; readonly topology: Topology; readonly unseen?: undefined }
  | { readonly server?: undefined; readonly topology?: undefined; readonly unseen: string }

/**
 * Finds a way to ask the server: as `controlUri` says; else over the network, where the tools run here; else by the mongosh of
 * their container, for it is certain to lead to the same server; else over the network, unless the address means another
 * machine there than here.
 *
 * @throws HoldfastError `MONGODB_URI`, `MONGODB_UNREACHABLE`, `MONGODB_AUTH`, `SECRET_MISSING`; not when there is no way that
 * leads there for certain
 */
export async function openServer(ctx: ServerContext, { uri, controlUri, place }: ServerAddress): Promise<Access> {
  const { secrets, exec, signal } = ctx
  const address = parseUri((await secrets.open(controlUri ?? uri)).reveal())
  const text = formatUri(address)
  if (controlUri !== undefined || place.kind === 'local') {
    return ask(
      () => openDriver(text, signal),
      hostsOf(address),
      ({ unable }) => unable,
    )
  }
  const where = describePlace(place)
  if (await hasMongosh(ctx, place)) {
    const commands = openMongosh({ exec, container: place.container, uri: text, signal })
    return ask(
      () => commands,
      `${hostsOf(address)} ${where}`,
      () => false,
    )
  }
  if (place.sharesNetwork || !isLoopback(address)) {
    // Whether the network leads there from here, nobody has promised.
    return ask(
      () => openDriver(text, signal),
      hostsOf(address),
      () => true,
    )
  }
  return {
    unseen: `there is no mongosh ${where}, and from here ${hostsOf(address)} is another server; \`controlUri\` can say how Holdfast reaches it`,
  }
}

/** @param mayFail - whether a failure leaves the server unseen, instead of being one */
async function ask(
  open: () => Commands | Promise<Commands>,
  name: string,
  mayFail: (failure: ConnectionFailure) => boolean,
): Promise<Access> {
  let server: MongoServer | undefined
  try {
    server = createMongoServer(await open(), name)
    return { server, topology: await server.topology() }
  } catch (error) {
    await server?.close()
    const failure = isHoldfastError(error) ? error.cause : error
    if (failure instanceof ConnectionFailure && mayFail(failure)) return { unseen: failure.message }
    throw failure === error && failure instanceof ConnectionFailure ? connectionError(name, failure) : error
  }
}

const nowhere: Sink = { write: async () => {} }

async function hasMongosh(
  { exec, signal }: ServerContext,
  place: Extract<Place, { readonly kind: 'container' }>,
): Promise<boolean> {
  try {
    await exec.container(place.container, {
      command: ['mongosh', '--version'],
      stderr: nowhere,
      timeout: '1m',
      signal,
    })
    return true
  } catch (error) {
    if (signal.aborted || !isHoldfastError(error)) throw error
    // Where nothing can be run at all, the dump says why.
    return false
  }
}
