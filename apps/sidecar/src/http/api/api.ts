import { isHoldfastError, type HoldfastError, type Meter } from '@holdfast/sdk'
import { reasonOf, recordFailure } from '@holdfast/runtime'
import { errors } from '../../errors.ts'
import type { Actions } from '../../daemon/by-hand.ts'
import type { Page, PageRequest } from '../pages.ts'
import { actionAt, actionPaths } from './actions.ts'
import type { Catalogue } from './catalogue.ts'
import { listDrills, listPlans, readPlan } from './plans.ts'
import { listRuns } from './runs.ts'
import { checkSender } from './sender.ts'
import type { StatusSource } from './source.ts'
import { listPoints, listTargets } from './targets.ts'
import { readRun } from './timeline.ts'
import { checkToken } from './token.ts'
import { listUndos } from './undos.ts'

/** What may be done through the API, and by whom. */
export interface ApiActions {
  readonly byHand: Actions
  /** Read at each request. */
  readonly tokenFile: string
  /** Names under which this host is asked. */
  readonly hosts: readonly string[]
  readonly refused: ReturnType<Meter['counter']>
}

/** What {@link createApi} needs. */
export interface ApiOptions {
  readonly source: StatusSource
  readonly catalogue: Catalogue
  /** `undefined`: nothing can be done, only looked at. */
  readonly actions?: ApiActions | undefined
}

const root = '/api/v1'
const json = 'application/json; charset=utf-8'

/** Statuses of errors that are not 400. */
const statuses: Readonly<Record<string, number>> = {
  API_UNKNOWN: 404,
  PLAN_UNKNOWN: 404,
  RUN_UNKNOWN: 404,
  UNDO_NOT_PENDING: 404,
  API_METHOD: 405,
  API_HOST: 403,
  API_ORIGIN: 403,
  API_TOKEN: 401,
  PLAN_BUSY: 409,
  UNDO_OWNED: 409,
  API_UNSCHEDULED: 409,
  API_PAUSED: 409,
  API_STANDBY: 409,
  API_TOKEN_FILE: 503,
  DAEMON_STARTING: 503,
  DAEMON_WAITING: 503,
  DAEMON_STOPPING: 503,
  API_INTERNAL: 500,
  UNDO_FAILED: 500,
}

/** Why a request to do something was refused, for the metric. */
export const refusals = { API_TOKEN: 'token', API_TOKEN_FILE: 'token_file', API_HOST: 'host', API_ORIGIN: 'origin' }

/** The API: whatever is asked of it, it answers with JSON, and never rejects. */
export function createApi({ source, catalogue, actions }: ApiOptions): (request: PageRequest) => Promise<Page> {
  const { redactor, log } = source

  const read = async (parts: readonly string[], query: URLSearchParams): Promise<object | undefined> => {
    const [kind, name, ...more] = parts
    if (more.length > 0) return undefined
    if (kind === 'plans' && name !== undefined) return readPlan(source, name)
    if (kind === 'runs' && name !== undefined) return readRun(source, name, query)
    if (name !== undefined) return undefined
    switch (kind) {
      case undefined:
        return { version: source.version, paths: pathsOf(actions !== undefined) }
      case 'status':
        return overview(source)
      case 'plans':
        return listPlans(source, query)
      case 'drills':
        return listDrills(source, query)
      case 'runs':
        return listRuns(source, query)
      case 'undos':
        return listUndos(source, query)
      case 'targets':
        return listTargets(source, catalogue, query)
      case 'restore-points':
        return listPoints(source, catalogue, query)
      default:
        return undefined
    }
  }

  const answer = async (request: PageRequest, { path, parts, query }: Place): Promise<Page> => {
    const { method } = request
    const action = actions && actionAt(parts)
    const unknown = (): HoldfastError => errors.API_UNKNOWN({ path })
    if (method === 'GET' || method === 'HEAD') {
      if (action) throw notAllowed(method, path, 'POST')
      const value = await read(parts, query)
      if (value === undefined) throw unknown()
      return page(200, redactor.value(withNext(value, path, query)))
    }
    if (actions && method === 'POST') {
      await admit(request, actions)
      if (!action) throw (await isReadable(parts)) ? notAllowed(method, path, 'GET, HEAD') : unknown()
      const { status, value } = await action(actions.byHand, request)
      log.info('told to by the API', { path: redactor.text(path), ...value })
      return page(status, redactor.value(value))
    }
    throw (await isReadable(parts)) || action ? notAllowed(method, path, action ? 'POST' : 'GET, HEAD') : unknown()
  }

  /** Lists are there by their names; of single things it makes no difference. */
  const isReadable = async (parts: readonly string[]): Promise<boolean> => {
    try {
      return parts.length <= 2 && (await read(parts, new URLSearchParams())) !== undefined
    } catch {
      return false
    }
  }

  const admit = async ({ headers = {} }: PageRequest, { tokenFile, hosts }: ApiActions): Promise<void> => {
    checkSender(headers, hosts)
    await checkToken(tokenFile, headers.authorization, redactor)
  }

  return async (request) => {
    try {
      return await answer(request, placeOf(request.url))
    } catch (error) {
      const failure = isHoldfastError(error)
        ? error
        : errors.API_INTERNAL({ reason: reasonOf(error) }, { cause: error })
      const reason = Object.hasOwn(refusals, failure.code) && refusals[failure.code as keyof typeof refusals]
      if (reason) {
        actions?.refused.add(1, { reason })
        log.warn(`the API refused a request: ${failure.message}`, { code: failure.code })
      }
      if (failure.code === 'API_INTERNAL') log.error(failure.message, { error })
      return failurePage(failure, redactor)
    }
  }
}

/** An error as an answer. */
function failurePage(failure: HoldfastError, redactor: StatusSource['redactor']): Page {
  const { code, message, hint, details } = recordFailure(failure)
  const status = statuses[code] ?? 400
  const allowed = code === 'API_METHOD' ? details['allowed'] : undefined
  return {
    ...page(status, redactor.value({ error: { code, message, hint } })),
    ...(typeof allowed === 'string' && { allow: allowed }),
    ...(status === 401 && { headers: { 'www-authenticate': 'Bearer realm="holdfast"' } }),
  }
}

function notAllowed(method: string, path: string, allowed: string): HoldfastError {
  return errors.API_METHOD({ method, path, allowed })
}

interface Place {
  readonly path: string
  /** What comes after `/api/v1`. */
  readonly parts: readonly string[]
  readonly query: URLSearchParams
}

function placeOf(url: string): Place {
  const at = url.indexOf('?')
  const path = at < 0 ? url : url.slice(0, at)
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at))
  if (path !== root && !path.startsWith(`${root}/`)) throw errors.API_UNKNOWN({ path })
  try {
    const parts = path.slice(root.length).split('/').slice(1).map(decodeURIComponent)
    return { path, parts: parts.at(-1) === '' ? parts.slice(0, -1) : parts, query }
  } catch (error) {
    throw errors.API_UNKNOWN({ path }, { cause: error })
  }
}

/** What the daemon says of itself. */
export function overview({ version, engine, status }: StatusSource): object {
  const { ready, reasons, startedAt, role, configuration } = status.current()
  const { instance, plans, drills } = engine.config()
  return {
    version,
    instance,
    ready,
    reasons,
    role,
    startedAt,
    configuration,
    plans: plans.length,
    drills: drills.length,
  }
}

function withNext(value: object, path: string, query: URLSearchParams): object {
  // Of a run, too, there may be more.
  if (!('items' in value) && !('hooks' in value)) return value
  const { next, ...rest } = value as { readonly next?: Readonly<Record<string, string>> | undefined }
  if (!next) return { ...rest, next: null }
  const more = new URLSearchParams(query)
  for (const [name, text] of Object.entries(next)) more.set(name, text)
  return { ...rest, next: `${path}?${more.toString()}` }
}

function pathsOf(canAct: boolean): readonly string[] {
  const lists = [
    'status',
    'plans',
    'plans/{plan}',
    'runs',
    'runs/{run}',
    'targets',
    'restore-points',
    'undos',
    'drills',
  ]
  return [...lists.map((path) => `GET ${root}/${path}`), ...(canAct ? actionPaths.map((path) => `POST ${path}`) : [])]
}

function page(status: number, value: unknown): Page {
  return { status, type: json, body: `${JSON.stringify(value)}\n` }
}
