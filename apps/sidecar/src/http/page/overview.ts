import type { NotReadyReason } from '../../daemon/status.ts'
import type { Part } from '../api/parts.ts'
import type { PlanCounts, PlanView } from '../api/plans.ts'
import type { RunSummary } from '../api/runs.ts'
import type { PointView, StoreAge, TargetView } from '../api/targets.ts'
import type { UndoView } from '../api/undos.ts'
import type { Sheet } from './document.ts'
import { html, type Content } from './html.ts'
import { isFailing, planTable, pointTable, runTable, storeAge, targetTable, undoBoxes } from './lists.ts'
import { linkTo, more } from './tables.ts'
import { prose } from './words.ts'

/** What the first page shows. */
export interface Overview {
  readonly instance: string
  readonly host: string
  readonly reasons: readonly NotReadyReason[]
  readonly role?: string | undefined
  readonly plans: Part<PlanView> & { readonly counts: PlanCounts }
  readonly drills: Part<PlanView>
  readonly runs: Part<RunSummary>
  readonly undos: Part<UndoView>
  readonly targets: Part<TargetView> & { readonly store: StoreAge }
  readonly points: Part<PointView> & { readonly store: StoreAge }
}

/** The first page: what needs somebody comes first. */
export function overviewPage(view: Overview): Sheet {
  const { instance, reasons, role, plans, drills, runs, undos, targets, points } = view
  return {
    title: headline(view),
    path: '/',
    content: [
      html`<h1>Backups of <bdi>${instance}</bdi></h1>`,
      undoBoxes(undos.items, undos.total ?? undos.items.length, view.host),
      reasonsBox(reasons),
      html`<p data-said>
        ${verdict(view)}${role === 'standby' && ' This pod stands by: another one schedules, and has the newer runs.'}
      </p>`,
      countsOf(plans.counts),
      html`<h2 id="plans">Plans</h2>`,
      plans.items.length === 0
        ? html`<p>There is none in the configuration: nothing is backed up.</p>`
        : planTable('Plans, those first that need somebody', plans.items),
      more(plans, '/plans', {}, 'More plans'),
      drills.items.length > 0 && [
        html`<h2 id="drills">Restore drills</h2>`,
        planTable('Restore drills: backups that were restored to see whether they can be', drills.items, 'drill'),
        drills.next &&
          html`<p class="more">
            And ${(drills.total ?? 0) - drills.items.length} more:
            <a href="${linkTo('/api/v1/drills', drills.next)}">/api/v1/drills</a>
          </p>`,
      ],
      html`<h2 id="runs">Runs</h2>`,
      runs.items.length === 0 ? html`<p>Nothing has run yet.</p>` : runTable('The newest runs', runs.items),
      more(runs, '/runs', {}, 'Earlier runs'),
      html`<h2 id="targets">Targets</h2>`,
      storeAge(targets.store),
      targets.items.length > 0 && targetTable('Targets that have backups, and how large those were', targets.items),
      more(targets, '/targets', {}, 'More targets'),
      html`<h2 id="points">Restore points</h2>`,
      points.items.length === 0
        ? html`<p>None is known yet.</p>`
        : pointTable('The newest restore points, and when they were last verified', points.items),
      more(points, '/restore-points', {}, 'Older restore points'),
    ],
  }
}

/** What stands in a tab that nobody has in front. */
function headline({ plans: { counts }, drills, undos, reasons, targets }: Overview): string {
  if (undos.items.some((undo) => isFailing(undo) || (undo.state !== 'held' && undo.kind === 'held')))
    return 'Not given back'
  const bad = counts.failed + counts.aborted
  if (bad > 0) return `${bad} failed`
  const damaged = damagedTargets(targets)
  if (damaged > 0) return `${damaged} damaged`
  if (counts.tooOld > 0) return `${counts.tooOld} too old`
  const badDrills = drillsThatFailed(drills)
  if (badDrills > 0) return `${badDrills} ${badDrills === 1 ? 'drill' : 'drills'} failed`
  return reasons.length > 0 ? 'Not ready' : 'Overview'
}

/** In one sentence. */
function verdict({ plans: { counts, total }, drills, undos, reasons, targets }: Overview): Content {
  const bad = counts.failed + counts.aborted
  const pending = undos.items.filter(({ state }) => state !== 'held')
  if (pending.some(({ kind }) => kind === 'held')) return 'Something has to be given back by hand.'
  if (undos.items.some(isFailing)) return 'A run can’t give back what it has taken, and tries again.'
  if (pending.length > 0 && bad === 0) return 'A restore drill has to be cleaned up by hand.'
  if (bad > 0) return `The newest run of ${bad} of ${total ?? bad} plans did not make its backup.`
  const damaged = damagedTargets(targets)
  if (damaged > 0)
    return `The newest backup of ${damaged === 1 ? 'a target is' : `${damaged} targets are`} damaged, and can't be restored whole.`
  if (counts.partial > 0)
    return `The newest run of ${counts.partial} of ${total ?? counts.partial} plans left something out.`
  if (counts.tooOld > 0)
    return 'Some plans have not succeeded for longer than twice the time between two of their slots.'
  const badDrills = drillsThatFailed(drills)
  if (badDrills > 0)
    return `The newest run of ${badDrills === drills.items.length && drills.next ? 'at least ' : ''}${badDrills} of ${drills.total ?? badDrills} restore drills failed: whether those backups can be restored is not known.`
  if (reasons.length > 0) return 'The daemon is not ready.'
  if (counts.succeeded === 0) return 'Nothing has been backed up yet.'
  return 'The newest run of every plan that has run succeeded.'
}

/** Of those that are on the page. */
function damagedTargets({ items }: Overview['targets']): number {
  return items.filter(({ newest }) => newest.state === 'invalid').length
}

/** Those that did come first. */
function drillsThatFailed({ items }: Part<PlanView>): number {
  return items.filter(({ state }) => state === 'failed' || state === 'aborted').length
}

function reasonsBox(reasons: readonly NotReadyReason[]): Content {
  if (reasons.length === 0) return undefined
  const shown = reasons.slice(0, 20)
  return html`<section class="box" aria-labelledby="reasons">
    <h2 id="reasons">Not ready</h2>
    <ul>
      ${shown.map(
        ({ code, message, hint, plan, drill }) =>
          html`<li>
            <code>${code}</code
            >${plan !== undefined && html` plan <bdi>${plan}</bdi>`}${drill !== undefined && html`, drill <bdi>${drill}</bdi>`}:
            ${prose(message)}${hint !== undefined && html`<br /><span class="quiet">${prose(hint)}</span>`}
          </li>`,
      )}
    </ul>
    ${reasons.length > shown.length && html`<p>And ${reasons.length - shown.length} more: <a href="/readyz">/readyz</a></p>`}
  </section>`
}

const words = [
  ['failed', 'failed', 'bad'],
  ['aborted', 'aborted', 'bad'],
  ['partial', 'partial', 'odd'],
  ['never', 'not run yet', 'quiet'],
  ['succeeded', 'succeeded', 'good'],
  ['tooOld', 'too old', 'bad'],
  ['paused', 'paused', 'odd'],
  ['running', 'running now', 'quiet'],
] as const

function countsOf(counts: PlanCounts): Content {
  const shown = words.filter(([key]) => counts[key] > 0)
  return (
    shown.length > 0 &&
    html`<ul class="counts" aria-label="Plans by how their newest run ended">
      ${shown.map(([key, word, tone]) => html`<li><b class="${tone}">${counts[key]}</b> ${word}</li>`)}
    </ul>`
  )
}
