import { formatDuration } from '@holdfast/sdk'
import type { HookSpan, RunView, TargetResult, UndoSpan } from '../api/timeline.ts'
import type { Sheet } from './document.ts'
import { html, type Content } from './html.ts'
import { failureBox } from './lists.ts'
import { bar, heldWindows, statusWord, type BarScale } from './pictures.ts'
import { linkTo, more, table } from './tables.ts'
import { exact, moment } from './words.ts'

/** What {@link runPage} shows besides the run. */
export interface RunPageOptions {
  /** What is pending of it. */
  readonly boxes: Content
  /** Of its lists this is not the first part. */
  readonly isLater: boolean
}

/** The page of one run. */
export function runPage(run: RunView, { boxes, isLater }: RunPageOptions): Sheet {
  const still = run.undos.filter((undo) => undo.kind === 'held')
  const scratch = run.undos.filter((undo) => undo.kind === 'cleanup')
  const { id, plan, drill, status, error, warnings, totalMs, leftOut } = run
  // What was given back days later must not make a line of every hook.
  const ends = run.hooks.map(({ offsetMs, durationMs }) => offsetMs + durationMs)
  const spanMs = Math.max(run.durationMs, ...ends)
  const hookScale = { spanMs, held: run.held.filter(({ offsetMs }) => offsetMs < spanMs) }
  const undoScale = { spanMs: totalMs, held: [] }
  return {
    title: `Run ${id}`,
    content: [
      html`<h1 data-said><bdi>${drill ?? plan}</bdi>: ${statusWord(status)}</h1>`,
      boxes,
      facts(run),
      error && failureBox('Why', error, status === 'partial' ? '' : 'alarm'),
      warnings.map((warning) => failureBox('Warning', warning)),
      heldWindows(hookScale),
      still.length > 0 && [
        html`<h2>What stood still</h2>
          <p>
            For ${formatDuration(run.heldMs)} of ${formatDuration(totalMs)} something was frozen, locked or paused.
          </p>`,
        table<UndoSpan>(
          `Undo windows: from when something was taken until it was given back; the bars span ${formatDuration(totalMs)}`,
          undoColumns(undoScale, 'Held'),
          still,
        ),
        cut(leftOut.undos),
      ],
      run.hooks.length > 0 && [
        html`<h2>Timeline</h2>`,
        table<HookSpan>(
          `Hooks in the order in which they began; the bars span ${formatDuration(spanMs)}${hookScale.held.length > 0 ? ', shaded while something stood still' : ''}`,
          hookColumns(hookScale),
          run.hooks,
        ),
        cut(leftOut.hooks),
      ],
      scratch.length > 0 && [
        html`<h2>What the drill made</h2>`,
        table<UndoSpan>(
          'From when there could be something to remove until it was removed',
          undoColumns(undoScale, 'There for'),
          scratch,
        ),
      ],
      run.targets.length > 0 && [
        html`<h2>Targets</h2>`,
        table<TargetResult>(
          'Targets and how their backups went, those first that failed',
          targetColumns(plan),
          run.targets,
        ),
        cut(leftOut.targets),
      ],
      more(run, `/runs/${encodeURIComponent(id)}`, {}, 'More of this run'),
      isLater && html`<p><a href="/runs/${encodeURIComponent(id)}">The beginning of this run</a></p>`,
    ],
  }
}

function facts({
  id,
  plan,
  drill,
  startedAt,
  endedAt,
  ageMs,
  scheduledFor,
  trigger,
  attempt,
  durationMs,
  reason,
  dryRun,
}: RunView): Content {
  return html`<dl>
    <dt>Run</dt>
    <dd><code>${id}</code></dd>
    <dt>Plan</dt>
    <dd>
      <a href="${linkTo('/plans', { plan })}"><bdi>${plan}</bdi></a
      >${drill !== undefined && html`, drill <bdi>${drill}</bdi>`}
    </dd>
    <dt>Started</dt>
    <dd>
      <time datetime="${startedAt}">${exact(startedAt)}</time> by
      ${trigger}${attempt > 1 && `, attempt ${attempt}`}${dryRun && ', a dry run'}
    </dd>
    <dt>Scheduled for</dt>
    <dd><time datetime="${scheduledFor}">${exact(scheduledFor)}</time></dd>
    ${
      endedAt === undefined
        ? html`<dt>Runs for</dt>
            <dd>${formatDuration(durationMs)}</dd>`
        : html`<dt>Ended</dt>
            <dd>${moment(endedAt, ageMs)}, after ${formatDuration(durationMs)}</dd>`
    }
    ${
      reason !== undefined &&
      html`<dt>Because</dt>
        <dd>${reason}</dd>`
    }
  </dl>`
}

function undoColumns(scale: BarScale, lasted: string): Parameters<typeof table<UndoSpan>>[1] {
  return [
    {
      head: 'Undo',
      cell: ({ undo, participant }) => html`<bdi>${undo}</bdi> <span class="quiet">by <bdi>${participant}</bdi></span>`,
    },
    { head: 'From', kind: 'number', cell: ({ offsetMs }) => `+${formatDuration(offsetMs)}` },
    {
      head: lasted,
      kind: 'number',
      cell: ({ durationMs, ended }) => [
        formatDuration(durationMs),
        !ended && html`<br /><span class="bad">still</span>`,
      ],
    },
    { head: 'Window', kind: 'bar', cell: (span) => bar(span, scale, span.ended ? 'held' : 'bad') },
    {
      head: 'State',
      cell: ({ state, attempts }) => [
        state === 'armed' || state === 'firing' ? html`<span class="bad">pending</span>` : state,
        attempts > 1 && ` (${attempts} attempts)`,
      ],
    },
    { head: 'Last error', kind: 'why', cell: ({ error }) => error },
  ]
}

function hookColumns(scale: BarScale): Parameters<typeof table<HookSpan>>[1] {
  return [
    { head: 'Hook', kind: 'id', cell: ({ hook, attempt }) => [hook, attempt > 1 && ` (attempt ${attempt})`] },
    {
      head: 'Who',
      cell: ({ participant, target }) => [
        html`<bdi>${participant}</bdi>`,
        target !== undefined && target !== participant && html` <span class="quiet">for <bdi>${target}</bdi></span>`,
      ],
    },
    { head: 'From', kind: 'number', cell: ({ offsetMs }) => `+${formatDuration(offsetMs)}` },
    {
      head: 'Took',
      kind: 'number',
      cell: ({ durationMs, ended }) => (ended ? formatDuration(durationMs) : html`<span class="odd">not ended</span>`),
    },
    { head: 'When', kind: 'bar', cell: (span) => bar(span, scale, span.error ? 'bad' : 'hook') },
    {
      head: 'Error',
      kind: 'why',
      cell: ({ error }) => error && html`<span class="bad">failed</span>: ${error.message}`,
    },
  ]
}

function targetColumns(plan: string): Parameters<typeof table<TargetResult>>[1] {
  return [
    {
      head: 'Target',
      cell: ({ target }) => html`<a href="${linkTo('/restore-points', { plan, target })}"><bdi>${target}</bdi></a>`,
    },
    { head: 'Backup', cell: ({ status }) => statusWord(status) },
    { head: 'Verification', cell: ({ verification }) => statusWord(verification) },
    { head: 'Why', kind: 'why', cell: ({ reason, error }) => reason ?? error?.message },
  ]
}

function cut(count: number): Content {
  return count > 0 && html`<p class="quiet">And ${count} more.</p>`
}
