import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { reasonOf } from '@holdfast/runtime'
import { errors } from '../../errors.ts'
import { createApi, type ApiActions } from '../api/api.ts'
import { createCatalogue } from '../api/catalogue.ts'
import { mostItems } from '../api/parts.ts'
import { listDrills, listPlans, readPlan } from '../api/plans.ts'
import { listRuns } from '../api/runs.ts'
import type { StatusSource } from '../api/source.ts'
import { listPoints, listTargets } from '../api/targets.ts'
import { readRun } from '../api/timeline.ts'
import { listUndos } from '../api/undos.ts'
import type { Answer, Page, PageRequest } from '../pages.ts'
import { documentOf, type Frame, type Sheet } from './document.ts'
import { html } from './html.ts'
import { failureBox, planTable, pointTable, runTable, storeAge, targetTable, undoBoxes } from './lists.ts'
import { overviewPage, type Overview } from './overview.ts'
import { runPage } from './run.ts'
import { more } from './tables.ts'

/** What {@link createSite} needs. */
export interface CreateSiteOptions {
  readonly source: StatusSource
  readonly actions?: ApiActions | undefined
}

/** How much of each list the first page has, and the page of a run. */
const first = { plans: 50, drills: 20, runs: 20, undos: 20, targets: 30, points: 15, rows: 100 }

/** The status page and the API. Pages are made from what the API answers, secrets blanked. */
export function createSite({ source, actions }: CreateSiteOptions): { readonly answer: Answer; close(): void } {
  const { engine, status, redactor, log, version } = source
  const catalogue = createCatalogue(source)
  const api = createApi({ source, catalogue, actions })
  const shown = <View>(view: View): View => redactor.value(view) as View
  const frame = (): Frame => ({ version, instance: engine.config().instance, host: engine.services.process.host })

  const overview = async (): Promise<Overview> => {
    const none = new URLSearchParams()
    const { reasons, role } = status.current()
    const targets = await listTargets(source, catalogue, none, first.targets)
    return {
      instance: engine.config().instance,
      host: engine.services.process.host,
      reasons,
      role,
      plans: listPlans(source, none, first.plans),
      drills: listDrills(source, none, first.drills),
      runs: listRuns(source, none, first.runs),
      undos: listUndos(source, none, first.undos),
      targets,
      points: await listPoints(source, catalogue, none, first.points),
    }
  }

  const sheets: Readonly<Record<string, (query: URLSearchParams) => Sheet | Promise<Sheet>>> = {
    '/': async () => overviewPage(shown(await overview())),
    '/plans': (query) => {
      const name = query.get('plan')
      return name === null ? plansPage(query) : planPage(name)
    },
    '/runs': (query) => {
      const runs = shown(listRuns(source, query))
      const [plan, drill] = [query.get('plan') ?? undefined, query.get('drill') ?? undefined]
      const of = drill ?? plan
      return {
        title: 'Runs',
        path: '/runs',
        content: [
          html`<h1>Runs${of !== undefined && html` of <bdi>${of}</bdi>`}</h1>`,
          runs.items.length === 0 ? html`<p>There is none.</p>` : runTable('Runs, newest first', runs.items),
          more(runs, '/runs', { plan, drill }, 'Earlier runs'),
        ],
      }
    },
    '/targets': async (query) => {
      const targets = shown(await listTargets(source, catalogue, query))
      return {
        title: 'Targets',
        path: '/targets',
        content: [
          html`<h1>Targets</h1>`,
          storeAge(targets.store),
          targets.items.length > 0 && targetTable('Targets that have backups, and how large those were', targets.items),
          more(targets, '/targets', { plan: query.get('plan') ?? undefined }, 'More targets'),
        ],
      }
    },
    '/restore-points': async (query) => {
      const points = shown(await listPoints(source, catalogue, query))
      const [plan, target] = [query.get('plan') ?? undefined, query.get('target') ?? undefined]
      return {
        title: 'Restore points',
        path: '/restore-points',
        content: [
          html`<h1>Restore points${target !== undefined && html` of <bdi>${target}</bdi>`}</h1>`,
          html`<p><code>holdfast restore</code> gets one back; it lists all of them, however old.</p>`,
          storeAge(points.store),
          points.items.length === 0
            ? html`<p>None is known.</p>`
            : pointTable('Restore points, newest first, and when they were last verified', points.items),
          more(points, '/restore-points', { plan, target }, 'Older restore points'),
        ],
      }
    },
  }

  function plansPage(query: URLSearchParams): Sheet {
    const plans = shown(listPlans(source, query))
    return {
      title: 'Plans',
      path: '/plans',
      content: [
        html`<h1>Plans</h1>`,
        plans.items.length > 0 && planTable('Plans, those first that need somebody', plans.items),
        more(plans, '/plans', {}, 'More plans'),
      ],
    }
  }

  async function planPage(name: string): Promise<Sheet> {
    const query = new URLSearchParams({ plan: name })
    const plan = shown(readPlan(source, name))
    const runs = shown(listRuns(source, query, first.runs))
    const targets = shown(await listTargets(source, catalogue, query))
    const undos = shown(listUndos(source, new URLSearchParams(), mostItems)).items.filter((undo) => undo.plan === name)
    return {
      title: `Plan ${plan.name}`,
      path: '/plans',
      content: [
        html`<h1>Plan <bdi>${plan.name}</bdi></h1>`,
        undoBoxes(undos, undos.length, engine.services.process.host),
        plan.last?.error && failureBox(`Why its newest run ${plan.last.status}`, plan.last.error, 'alarm'),
        planTable('How it stands', [plan]),
        html`<p>
          Where Holdfast runs, on <bdi>${engine.services.process.host}</bdi>:
          <code>holdfast run ${word(name)}</code> backs it up now,
          <code>holdfast restore --plan ${word(name)}</code> gets a backup of it back.
        </p>`,
        html`<h2>Runs</h2>`,
        runs.items.length === 0 ? html`<p>It has not run yet.</p>` : runTable('Its newest runs', runs.items),
        more(runs, '/runs', { plan: name }, 'Earlier runs'),
        html`<h2>Targets</h2>`,
        storeAge(targets.store),
        targets.items.length > 0 && targetTable('Its targets that have backups', targets.items),
        more(targets, '/targets', { plan: name }, 'More targets'),
      ],
    }
  }

  function oneRun(id: string, query: URLSearchParams): Sheet {
    const run = shown(readRun(source, id, query, first.rows))
    const { items } = shown(listUndos(source, new URLSearchParams(), mostItems))
    const pending = items.filter((undo) => undo.run === id)
    const boxes = undoBoxes(pending, pending.length, engine.services.process.host)
    return runPage(run, { boxes, isLater: query.has('offset') })
  }

  const sheetAt = (path: string, query: URLSearchParams): Sheet | Promise<Sheet> => {
    const found = Object.hasOwn(sheets, path) ? sheets[path] : undefined
    if (found) return found(query)
    const run = /^\/runs\/([^/]+)$/.exec(path)?.[1]
    if (run === undefined) throw errors.API_UNKNOWN({ path })
    return oneRun(decode(run, path), query)
  }

  const answer = async (request: PageRequest): Promise<Page> => {
    const { method, url } = request
    const [path = ''] = url.split('?', 1)
    if (path === '/api' || path.startsWith('/api/')) return api(request)
    if (method !== 'GET' && method !== 'HEAD') {
      const body = 'nothing can be changed here; only GET and HEAD are answered\n'
      return { status: 405, type: 'text/plain; charset=utf-8', body, allow: 'GET, HEAD' }
    }
    try {
      return documentOf(await sheetAt(path, new URLSearchParams(url.slice(path.length))), frame())
    } catch (error) {
      return failed(error)
    }
  }

  function failed(error: unknown): Page {
    const failure = isHoldfastError(error) ? error : errors.API_INTERNAL({ reason: reasonOf(error) }, { cause: error })
    if (failure.code === 'API_INTERNAL') log.error(failure.message, { error })
    const { code, message, hint } = shown(plain(failure))
    const content = html`<h1>There is nothing to show</h1>
      ${failureBox('Why', { code, message, hint })}`
    const isUnknown = code.endsWith('_UNKNOWN')
    return documentOf({ title: code, content }, frame(), code === 'API_INTERNAL' ? 500 : isUnknown ? 404 : 400)
  }

  return { answer, close: () => catalogue.close() }
}

function plain({ code, message, hint }: HoldfastError): { code: string; message: string; hint: string | undefined } {
  return { code, message, hint }
}

/** As a shell takes it. */
function word(text: string): string {
  return /^[\w.:/@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

function decode(text: string, path: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw errors.API_UNKNOWN({ path }, { cause: error })
  }
}
