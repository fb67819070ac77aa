import { formatDuration } from '@holdfast/sdk'
import type { PlanView } from '../api/plans.ts'
import type { FailureView, RunSummary } from '../api/runs.ts'
import type { PointView, StoreAge, TargetView } from '../api/targets.ts'
import type { UndoView } from '../api/undos.ts'
import { html, type Content, type Html } from './html.ts'
import { recentRuns, sizeHistory, statusWord } from './pictures.ts'
import { linkTo, table } from './tables.ts'
import { bytes, moment, prose } from './words.ts'

/** Plans, or drills, as a table. */
export function planTable(caption: string, plans: readonly PlanView[], kind: 'plan' | 'drill' = 'plan'): Html {
  return table<PlanView>(
    caption,
    [
      {
        head: kind === 'plan' ? 'Plan' : 'Drill',
        cell: ({ name, plan }) => [
          html`<a href="${kind === 'plan' ? linkTo('/plans', { plan: name }) : linkTo('/runs', { drill: name })}"
            ><bdi>${name}</bdi></a
          >`,
          plan !== undefined && html` <span class="quiet">of <bdi>${plan}</bdi></span>`,
        ],
      },
      { head: 'Last result', cell: lastResult },
      { head: 'Ended', cell: ({ last }) => last && moment(last.endedAt, last.ageMs) },
      { head: 'Took', kind: 'number', cell: ({ last }) => last && formatDuration(last.durationMs) },
      { head: 'Last success', cell: lastSuccess },
      { head: 'Next run', cell: nextRun },
      { head: 'Last runs', cell: ({ recent }) => recentRuns(recent) },
    ],
    plans,
  )
}

function lastResult({ last, running }: PlanView): Content {
  return [
    last ? html`<a href="/runs/${encodeURIComponent(last.id)}">${statusWord(last.status)}</a>` : 'has not run yet',
    running && html`<br />running now`,
  ]
}

function lastSuccess({ maintenance, lastSuccessAt, lastSuccessAgeMs, tooOld }: PlanView): Content {
  if (lastSuccessAt !== undefined)
    return [tooOld && html`<span class="bad">too old</span>: `, moment(lastSuccessAt, lastSuccessAgeMs)]
  return maintenance ? html`<span class="quiet">backs nothing up</span>` : html`<span class="odd">never</span>`
}

/** When it runs next, or why it doesn't. */
function nextRun({ next, nextInMs = 0, paused, pausedAt, pausedAgeMs, schedule }: PlanView): Content {
  if (paused !== undefined) {
    const since = moment(pausedAt, pausedAgeMs)
    return html`<span class="odd">paused</span> by
      ${paused === 'hand' ? 'hand' : 'the configuration'}${since && html`, ${since}`}`
  }
  if (!schedule) return html`<span class="quiet">no schedule</span>`
  return [
    moment(next, -nextInMs) ?? 'not scheduled here',
    html` <span class="exact">${schedule.cron} ${schedule.timeZone ?? ''}</span>`,
  ]
}

/** Runs as a table. */
export function runTable(caption: string, runs: readonly RunSummary[]): Html {
  return table<RunSummary>(
    caption,
    [
      {
        head: 'Run',
        kind: 'id',
        cell: ({ id }) => html`<a href="/runs/${encodeURIComponent(id)}">${id}</a>`,
      },
      {
        head: 'Plan',
        cell: ({ plan, drill }) => [
          html`<bdi>${plan}</bdi>`,
          drill !== undefined && html` <span class="quiet">drill <bdi>${drill}</bdi></span>`,
        ],
      },
      { head: 'Result', cell: ({ status, dryRun }) => [statusWord(status), dryRun && ' (dry run)'] },
      { head: 'When', cell: ({ endedAt, startedAt, ageMs }) => moment(endedAt ?? startedAt, ageMs) },
      {
        head: 'Took',
        kind: 'number',
        cell: ({ durationMs, status }) => status !== 'skipped' && formatDuration(durationMs),
      },
      { head: 'Why', kind: 'why', cell: ({ error, reason }) => error?.message ?? reason },
    ],
    runs,
  )
}

/** Targets as a table. */
export function targetTable(caption: string, targets: readonly TargetView[]): Html {
  return table<TargetView>(
    caption,
    [
      {
        head: 'Target',
        cell: ({ plan, target }) =>
          html`<a href="${linkTo('/restore-points', { plan, target })}"><bdi>${target}</bdi></a>
            <span class="quiet">of <bdi>${plan}</bdi></span>`,
      },
      { head: 'Newest backup', cell: ({ newest }) => moment(newest.createdAt, newest.ageMs) },
      { head: 'State', cell: ({ newest }) => statusWord(newest.state) },
      { head: 'Size', kind: 'number', cell: ({ newest }) => bytes(newest.size) },
      { head: 'Sizes over time', cell: ({ sizes }) => sizeHistory(sizes) },
      { head: 'Backups', kind: 'number', cell: ({ count }) => count },
      { head: 'Last verified', cell: verified },
    ],
    targets,
  )
}

/** Restore points as a table. */
export function pointTable(caption: string, points: readonly PointView[]): Html {
  return table<PointView>(
    caption,
    [
      { head: 'Restore point', cell: ({ id }) => id },
      {
        head: 'Target',
        cell: ({ plan, target }) => html`<bdi>${target}</bdi> <span class="quiet">of <bdi>${plan}</bdi></span>`,
      },
      { head: 'Made', cell: ({ createdAt, ageMs }) => moment(createdAt, ageMs) },
      { head: 'Size', kind: 'number', cell: ({ size }) => bytes(size) },
      { head: 'State', cell: ({ state, reason }) => [statusWord(state), reason !== undefined && `: ${reason}`] },
      { head: 'Last verified', cell: verified },
    ],
    points,
  )
}

function verified({ verifiedAt, verifiedAgeMs }: Pick<PointView, 'verifiedAt' | 'verifiedAgeMs'>): Content {
  return moment(verifiedAt, verifiedAgeMs) ?? html`<span class="odd">never read back</span>`
}

/** How old what is said about the store is. */
export function storeAge({ readAt, readAgeMs, reading, error }: StoreAge): Html {
  const read = moment(readAt, readAgeMs)
  return html`<p class="quiet">
    ${
      read
        ? html`As the store was ${read}.${reading && ' It is being read again.'}`
        : 'The store is being read for this page; reload it in a moment.'
    }${error && html` <span class="bad">It could not be read the last time: ${error.message}</span>`}
  </p>`
}

/** Its run is at it, and has failed with it so far. */
export function isFailing({ state, kind, error }: UndoView): boolean {
  return state === 'held' && kind === 'held' && error !== undefined
}

/** What is pending, in red, and what to do. */
export function undoBoxes(undos: readonly UndoView[], total: number, host: string): Content {
  const pending = undos.filter(({ state }) => state !== 'held')
  const still = pending.filter(({ kind }) => kind === 'held')
  const scratch = pending.filter(({ kind }) => kind === 'cleanup')
  const failing = undos.filter(isFailing)
  const held = undos.filter(({ state, kind, error }) => state === 'held' && kind === 'held' && error === undefined)
  const left = total - undos.length
  return [
    still.length > 0 &&
      html`<section class="box alarm" aria-labelledby="pending">
        <h2 id="pending">
          ${still.length === 1 ? 'Something is' : `${still.length} things are`} still frozen, locked or paused
        </h2>
        <p>
          A run took this and it was not given back. Applications may be standing still. Where Holdfast runs, on
          <bdi>${host}</bdi>, look at <code>holdfast undo list</code>, then give it back:
        </p>
        <ul>
          ${still.map(undoItem)}
        </ul>
        ${left > 0 && html`<p>And ${left} more.</p>`}
      </section>`,
    scratch.length > 0 &&
      html`<section class="box alarm" aria-labelledby="scratch">
        <h2 id="scratch">What a restore drill made is still there</h2>
        <p>
          No application stands still: it takes room. The next run of that drill tries to remove it first. Or do it now,
          where Holdfast runs, on <bdi>${host}</bdi>:
        </p>
        <ul>
          ${scratch.map(undoItem)}
        </ul>
      </section>`,
    failing.length > 0 &&
      html`<section class="box alarm" aria-labelledby="failing">
        <h2 id="failing">A run can’t give back what it has taken, and tries again</h2>
        <p>Applications may be standing still. What the last error names has to be mended: the run is still at it.</p>
        <ul>
          ${failing.map(
            ({ undo, plan, heldMs = 0, attempts = 0, error }) =>
              html`<li>
                <strong><bdi>${undo}</bdi></strong> of plan <bdi>${plan ?? ''}</bdi>, held for
                <strong>${formatDuration(heldMs)}</strong>, tried ${attempts} ${attempts === 1 ? 'time' : 'times'}<br />Last
                error: ${error}
              </li>`,
          )}
        </ul>
      </section>`,
    held.length > 0 &&
      html`<section class="box" aria-labelledby="held">
        <h2 id="held">Held by runs that go on</h2>
        <ul>
          ${held.map(
            ({ undo, plan, heldMs = 0 }) =>
              html`<li>
                <bdi>${undo}</bdi> of <bdi>${plan ?? ''}</bdi>, for ${formatDuration(heldMs)}: given back by the run
                itself
              </li>`,
          )}
        </ul>
      </section>`,
  ]
}

function undoItem({ id, kind, undo, plan, participant, run, state, heldMs, attempts, error }: UndoView): Html {
  const who =
    plan === undefined ? 'of another pod' : html`of plan <bdi>${plan}</bdi>, by <bdi>${participant ?? ''}</bdi>`
  const verb = kind === 'held' ? 'held' : 'there'
  return html`<li>
    <strong><bdi>${undo}</bdi></strong> ${who}${
      heldMs !== undefined && html`, ${verb} for <strong>${formatDuration(heldMs)}</strong>`
    }${attempts !== undefined && attempts > 0 && html`, tried ${attempts} ${attempts === 1 ? 'time' : 'times'}`}:
    <code>holdfast undo run ${id.slice(0, 8)}</code>${
      run !== undefined && html` <a href="/runs/${encodeURIComponent(run)}">its run</a>`
    }${state === 'unknown' && html`<br />Whether that pod lives can't be told: look first.`}${error !== undefined && html`<br />Last error: ${error}`}
  </li>`
}

/** A failure with what to do. */
export function failureBox(title: string, failure: FailureView, tone: 'alarm' | '' = ''): Html {
  return html`<section class="box ${tone}">
    <h2>${title}</h2>
    <p><code>${failure.code}</code> ${prose(failure.message)}</p>
    ${failure.hint !== undefined && html`<p>${prose(failure.hint)}</p>`}
  </section>`
}
