// The status page and the API behind it cost nothing until somebody asks: their code is loaded then.
import type { Engine, Metrics } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import type { ByHand } from '../daemon/by-hand.ts'
import type { StatusKeeper } from '../daemon/status.ts'
import { version } from '../version.ts'
import type { ApiActions } from './api/api.ts'
import type { StatusSource } from './api/source.ts'
import type { HostCheck } from './host-check.ts'
import type { Answer, Site } from './pages.ts'

/** What {@link openSite} needs. */
export interface OpenSiteOptions {
  readonly context: Pick<CommandContext, 'io' | 'settings' | 'log' | 'redactor'>
  readonly status: Pick<StatusKeeper, 'current'>
  readonly metrics: Pick<Metrics, 'counter'>
  readonly engine: Engine
  readonly byHand: ByHand
  readonly hosts: Pick<HostCheck, 'names'>
}

/** Prepares the status page. */
export function openSite(options: OpenSiteOptions): Site & { close(): void } {
  const { context, status, engine, byHand } = options
  const { io, settings, log, redactor } = context
  const source: StatusSource = {
    version,
    engine,
    status,
    clock: io.clock,
    redactor,
    log,
    pausedSince: byHand.pauses.since,
  }
  const actions = actionsOf(options)
  let loaded: Promise<{ readonly answer: Answer; close(): void }> | undefined
  const load = (): NonNullable<typeof loaded> =>
    (loaded ??= import('./page/site.ts').then(({ createSite }) => createSite({ source, actions })))

  return {
    has: (path, accept) =>
      path === '/' ? /\btext\/html\b/i.test(accept) : /^\/(api|plans|runs|targets|restore-points)(\/|$)/.test(path),
    answer: async (request) => (await load()).answer(request),
    close: () => void loaded?.then(({ close }) => close()),
  }

  function actionsOf({ metrics, hosts }: OpenSiteOptions): ApiActions | undefined {
    const { apiTokenFile: tokenFile } = settings
    const refused = metrics.counter(
      'holdfast_api_refused_total',
      'Requests to do something that were refused: no or a wrong token, or sent by a web page',
      ['reason'],
    )
    for (const reason of ['token', 'token_file', 'host', 'origin']) refused.add(0, { reason })
    if (tokenFile === undefined) return undefined
    return {
      byHand,
      tokenFile,
      refused,
      get hosts() {
        return hosts.names()
      },
    }
  }
}
