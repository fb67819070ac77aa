import { parseListenAddress, type Engine, type ListenAddress, type LoadedConfig, type Metrics } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import type { ByHand } from '../daemon/by-hand.ts'
import type { StatusKeeper } from '../daemon/status.ts'
import type { Settings } from '../settings.ts'
import { version } from '../version.ts'
import { createHostCheck } from './host-check.ts'
import { createPages } from './pages.ts'
import { openPort } from './port.ts'
import { openSite } from './site.ts'
import { openSocket } from './socket.ts'

/** Where the pages are when nothing else is said. */
const defaultPort = 9480

/** What {@link serveHttp} needs. */
export interface ServeHttpOptions {
  readonly context: Pick<CommandContext, 'io' | 'settings' | 'log' | 'redactor'>
  readonly status: Pick<StatusKeeper, 'reasons' | 'role' | 'current'>
  readonly metrics: Metrics
  readonly engine: Engine
  /** What may be told to the daemon by those who have the token. */
  readonly byHand: ByHand
}

/** `/metrics`, the probes and the status page of a daemon. */
export interface Http {
  /** Serves them where the options or this configuration say. */
  listen(loaded: Pick<LoadedConfig, 'metrics'>): void
  /** Serves them at the state directory's socket, too: once the directory is this daemon's. */
  openSocket(): Promise<void>
  close(): Promise<void>
}

/** Nothing is served before it is said where. Whatever goes wrong, no backup depends on it. */
export function serveHttp({ context, status, metrics, engine, byHand }: ServeHttpOptions): Http {
  const { io, settings, log, redactor } = context
  const { clock } = io
  const hosts = createHostCheck(settings.apiHosts)
  const site = openSite({ context, status, metrics, engine, byHand, hosts })
  const { reasons, role } = status
  const answer = createPages({ version, reasons, role, metrics, redactor, log, site, hosts })
  const port = openPort({ answer, clock, log, metrics })
  let closeSocket: (() => Promise<void>) | undefined

  return {
    listen(loaded) {
      hosts.allow(loaded.metrics?.allowedHosts)
      port.listen(listenAddress(settings, loaded))
    },
    async openSocket() {
      closeSocket = await openSocket({ stateDirectory: settings.stateDirectory, answer, clock, log })
    },
    async close() {
      site.close()
      await Promise.all([closeSocket?.(), port.close()])
    },
  }
}

function listenAddress(
  { listen }: Pick<Settings, 'listen'>,
  { metrics }: Pick<LoadedConfig, 'metrics'>,
): ListenAddress {
  return listen ?? parseListenAddress(metrics?.listen ?? defaultPort) ?? { host: undefined, port: defaultPort }
}
