import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger, Meter } from '@holdfast/sdk'
import { reasonOf, type ListenAddress, type RuntimeClock } from '@holdfast/runtime'
import { errors } from '../errors.ts'
import type { Answer } from './pages.ts'
import { closeServer, createPageServer } from './server.ts'

/** Between attempts to get a port that somebody else has. */
const retryMs = 30_000

/** What a {@link Port} needs. */
export interface PortOptions {
  readonly answer: Answer
  readonly clock: Pick<RuntimeClock, 'setTimer'>
  readonly log: Logger
  readonly metrics: Pick<Meter, 'gauge'>
}

/** Serves the pages on a port. */
export interface Port {
  /** From now on here. The same address again changes nothing. */
  listen(address: ListenAddress): void
  close(): Promise<void>
}

/**
 * A port that can't be had is said once and tried again quietly: it belongs to an earlier pod on the same host, or to
 * somebody else, and no backup depends on it.
 */
export function openPort({ answer, clock, log, metrics }: PortOptions): Port {
  const gauge = metrics.gauge('holdfast_http_listening', 'Whether the port of /metrics and the probes is ours')
  let address: ListenAddress | undefined
  let server: Server | undefined
  let cancel: (() => void) | undefined

  const stop = async (): Promise<void> => {
    cancel?.()
    cancel = undefined
    const last = server
    server = undefined
    if (!last) return
    gauge.set(0)
    await closeServer(last)
  }

  const attempt = (wanted: ListenAddress, isFirst: boolean): void => {
    const made = createPageServer(answer, clock)
    server = made
    made.once('listening', () => {
      if (server !== made) return
      gauge.set(1)
      log.info('listening', { address: format(made.address() as AddressInfo) })
    })
    made.on('error', (error) => {
      if (server !== made) return
      server = undefined
      made.close()
      gauge.set(0)
      if (isFirst) {
        const failure = errors.HTTP_PORT({ address: formatWanted(wanted), reason: reasonOf(error) })
        log.warn(failure.message, { error: failure })
      }
      cancel = clock.setTimer(retryMs, () => attempt(wanted, false))
    })
    made.listen({ port: wanted.port, ...(wanted.host !== undefined && { host: wanted.host }) })
  }

  const move = async (wanted: ListenAddress): Promise<void> => {
    await stop()
    // Meanwhile it may have been told to listen somewhere else.
    if (address === wanted && wanted.port !== 0) attempt(wanted, true)
  }

  return {
    listen(wanted) {
      if (address?.host === wanted.host && address?.port === wanted.port) return
      address = wanted
      void move(wanted)
    },
    async close() {
      address = undefined
      await stop()
    },
  }
}

function format({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}

function formatWanted({ host, port }: ListenAddress): string {
  if (host === undefined) return `port ${port}`
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
