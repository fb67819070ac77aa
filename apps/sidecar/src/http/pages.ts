import type { IncomingHttpHeaders } from 'node:http'
import type { Logger } from '@holdfast/sdk'
import { reasonOf, type Metrics, type Redactor } from '@holdfast/runtime'
import { errors } from '../errors.ts'
import type { Role } from '../daemon/leadership.ts'
import type { NotReadyReason } from '../daemon/status.ts'
import { printable } from '../output/printable.ts'
import type { HostCheck } from './host-check.ts'

/** What the pages tell. */
export interface PagesOptions {
  readonly version: string
  /** Why the daemon isn't ready; nothing when it is. */
  reasons(): readonly NotReadyReason[]
  /** What this daemon is; `undefined` where every one schedules. */
  readonly role?: (() => Role | undefined) | undefined
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>
  readonly redactor: Pick<Redactor, 'text' | 'value'>
  readonly log: Pick<Logger, 'warn'>
  /** The status page and the API behind it; `undefined`: there are none. */
  readonly site?: Site | undefined
  /** Under which names may be asked; `undefined`: under any. */
  readonly hosts?: Pick<HostCheck, 'refused'> | undefined
}

/** Pages that are loaded when somebody first asks for one of them. */
export interface Site {
  /** Whether a path is one of its own. */
  has(path: string, accept: string): boolean
  readonly answer: Answer
}

/** What somebody asks for. */
export interface PageRequest {
  readonly method: string
  /** With its query, which nobody looks at. */
  readonly url: string
  /** The header of this name. */
  readonly accept: string
  readonly headers?: IncomingHttpHeaders | undefined
  /** The address of whoever asks; `undefined`: at the socket of the state directory. */
  readonly peer?: string | undefined
  /** What was sent with it; rejects when that is longer than so many bytes. */
  readonly body?: ((mostBytes: number) => Promise<string>) | undefined
}

/** An answer. */
export interface Page {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly allow?: string | undefined
  /** More of them. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Answers a request; never rejects. */
export type Answer = (request: PageRequest) => Promise<Page>

const text = 'text/plain; charset=utf-8'
const json = 'application/json; charset=utf-8'
/** Of a name that is none of ours so much is repeated. */
const mostOfHost = 100
/** Of so many it is logged: whoever asks by ever new ones must not fill the log. */
const mostRefused = 20

/** The pages of a daemon. All of them only read, but what the site has for those who have its token. */
export function createPages({ version, reasons, role, metrics, redactor, log, site, hosts }: PagesOptions): Answer {
  /** Those of which it is said that they are not served. */
  const refused = new Set<string>()
  let reading: Promise<string> | undefined

  /** Whoever asks meanwhile gets the same: reading a thousand plans takes a while, and must not be done for each. */
  const readMetrics = (): Promise<string> =>
    (reading ??= metrics.text().finally(() => {
      reading = undefined
    }))

  const pages: Readonly<Record<string, (asJson: boolean) => Page | Promise<Page>>> = {
    '/': () => page(200, text, index(version, site !== undefined)),
    '/healthz': (asJson) => (asJson ? page(200, json, '{"live":true}\n') : page(200, text, 'ok\n')),
    '/readyz'(asJson) {
      const found = reasons()
      const status = found.length === 0 ? 200 : 503
      if (!asJson) return page(status, text, redactor.text(readiness(found, role?.())))
      return page(
        status,
        json,
        `${JSON.stringify(redactor.value({ ready: status === 200, ...role?.(), reasons: found }))}\n`,
      )
    },
    async '/metrics'() {
      try {
        return page(200, metrics.contentType, await readMetrics())
      } catch (error) {
        const message = `the metrics could not be read: ${reasonOf(error)}`
        log.warn(message, { error })
        return page(500, text, redactor.text(`${oneLine(message)}\n`))
      }
    },
  }

  const misnamed = (given: string, path: string): Page => {
    const host = oneLine(given).slice(0, mostOfHost)
    const { code, message, hint } = errors.HTTP_HOST({ host })
    if (!refused.has(host) && refused.size < mostRefused) {
      refused.add(host)
      log.warn(message, { code, hint })
    }
    if (!path.startsWith('/api')) return page(403, text, `${message}\n\n${hint}\n`)
    return page(403, json, `${JSON.stringify({ error: { code, message, hint } })}\n`)
  }

  return async (request) => {
    const { method, url, accept } = request
    const [path = ''] = url.split('?', 1)
    const isSite = site?.has(path, accept) ?? false
    const host = hosts?.refused(request, { path, isSite })
    if (host !== undefined) return misnamed(host, path)
    if (site && isSite) return site.answer(request)
    const found = Object.hasOwn(pages, path) ? pages[path] : undefined
    if (!found) return page(404, text, `there is no such page; there are ${Object.keys(pages).join(', ')}\n`)
    if (method !== 'GET' && method !== 'HEAD') {
      return { ...page(405, text, 'nothing can be changed here; only GET and HEAD are answered\n'), allow: 'GET, HEAD' }
    }
    return found(/\bapplication\/json\b/i.test(accept))
  }
}

function page(status: number, type: string, body: string): Page {
  return { status, type, body }
}

function index(version: string, hasSite: boolean): string {
  return `Holdfast ${version}

/healthz  200 while the process answers
/readyz   200 when the daemon is ready, else 503 and why not; as JSON with "Accept: application/json"
/metrics  metrics in Prometheus' text format
${hasSite ? siteIndex : ''}`
}

const siteIndex = `/api/v1  plans, runs, targets, restore points and undos as JSON

A browser gets a page instead of this list.
`

/** A line for each reason, and its hint below it. */
function readiness(reasons: readonly NotReadyReason[], role: Role | undefined): string {
  if (reasons.length === 0) return `ready${role === undefined ? '' : ` (${describeRole(role)})`}\n`
  const lines = reasons.flatMap(({ code, message, hint, plan, drill }) => [
    `${code}${ofWhat({ plan, drill })}: ${oneLine(message)}`,
    ...(hint === undefined ? [] : [`  ${oneLine(hint)}`]),
  ])
  return `not ready\n${lines.join('\n')}\n`
}

function ofWhat({ plan, drill }: Pick<NotReadyReason, 'plan' | 'drill'>): string {
  if (drill !== undefined) return ` (drill "${drill}")`
  return plan === undefined ? '' : ` (plan "${plan}")`
}

function oneLine(message: string): string {
  return printable(message).replaceAll(/\s+/g, ' ')
}

function describeRole({ role, leader }: Role): string {
  if (role === 'leader') return 'leader: this pod schedules'
  return `standby: ${leader === undefined ? 'nobody schedules yet' : `${oneLine(leader)} schedules`}`
}
