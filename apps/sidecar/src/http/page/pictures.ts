// Small pictures, each with its meaning in words. Attributes of SVG only: the policy of the page allows no styles in tags.
import { formatDuration } from '@holdfast/sdk'
import type { PlanView } from '../api/plans.ts'
import type { TargetView } from '../api/targets.ts'
import type { RunView, Span } from '../api/timeline.ts'
import { html, type Content, type Html } from './html.ts'
import { bytes } from './words.ts'

/** How a status is coloured; its word is always there, too. */
export function toneOf(status: string): 'good' | 'odd' | 'bad' | 'quiet' {
  switch (status) {
    case 'succeeded':
    case 'valid':
    case 'verified':
      return 'good'
    case 'failed':
    case 'aborted':
    case 'invalid':
    case 'incomplete':
    case 'unverified':
      return 'bad'
    case 'partial':
    case 'suspect':
      return 'odd'
    default:
      return 'quiet'
  }
}

/** A status in its colour. */
export function statusWord(status: string): Html {
  return html`<span class="${toneOf(status)}">${status}</span>`
}

/** The last runs of a plan, oldest first: what did not succeed stands higher. */
export function recentRuns(recent: PlanView['recent']): Content {
  if (recent.length === 0) return undefined
  const runs = recent.toReversed()
  const counts = Map.groupBy(recent, ({ status }) => status)
  const words = [...counts].map(([status, of]) => `${of.length} ${status}`).join(', ')
  const bars = runs.map(({ status }, index) => {
    const tone = toneOf(status)
    const height = tone === 'bad' ? 18 : tone === 'odd' ? 14 : 9
    const kind = tone === 'quiet' ? 'run' : tone
    return html`<rect class="${kind}" x="${index * 8}" y="${18 - height}" width="6" height="${height}" />`
  })
  return html`<svg role="img" aria-label="Last runs: ${words}" width="${runs.length * 8}" height="18">${bars}</svg>`
}

/** How large the backups of a target were. */
export function sizeHistory(sizes: TargetView['sizes']): Content {
  const [first] = sizes
  if (!first || sizes.length < 2) return html`<span class="quiet">too few to draw</span>`
  const all = sizes.map(({ size }) => size)
  const [least, most] = [Math.min(...all), Math.max(...all)]
  const points = all.map((size, index) => {
    const x = 1 + (index * 118) / (all.length - 1)
    // From zero on: a size that halved shall look like it.
    const y = 22 - (most === 0 ? 0 : (size * 20) / most)
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  const words = `${all.length} sizes, from ${bytes(least)} to ${bytes(most)}; the oldest ${bytes(first.size)}`
  return html`<svg role="img" aria-label="${words}" width="120" height="24">
    <polyline class="sizes" points="${points.join(' ')}" />
  </svg>`
}

/** The name under which every bar of a page shows when something stood still. */
const heldId = 'stood-still'

/** What bars span. */
export interface BarScale {
  readonly spanMs: number
  readonly held: RunView['held']
}

/** When something stood still, drawn once for all bars of a page. Its copies have nothing around them that a style could name. */
export function heldWindows({ held, spanMs }: BarScale): Content {
  return (
    held.length > 0 &&
    html`<svg class="parts" aria-hidden="true" width="0" height="0">
      <defs>
        <g id="${heldId}">
          ${held.map((span) => {
            const { x, width } = place(span, spanMs)
            return html`<rect class="shade" x="${x}" y="0" width="${width}" height="14" />`
          })}
        </g>
      </defs>
    </svg>`
  )
}

/** Where in a run something was, and when of it something stood still. */
export function bar(span: Span, { spanMs, held }: BarScale, kind: 'hook' | 'held' | 'bad'): Html {
  const { x, width } = place(span, spanMs)
  const end = span.offsetMs + span.durationMs
  const overlap = held.reduce(
    (sum, { offsetMs, durationMs }) =>
      sum + Math.max(0, Math.min(end, offsetMs + durationMs) - Math.max(span.offsetMs, offsetMs)),
    0,
  )
  const during = overlap === 0 ? '' : `, ${formatDuration(overlap)} of it while something stood still`
  const label = `from ${formatDuration(span.offsetMs)} to ${formatDuration(end)}${during}`
  return html`<svg class="timeline" role="img" aria-label="${label}" viewBox="0 0 1000 14" preserveAspectRatio="none">
    ${held.length > 0 && html`<use href="#${heldId}" />`}
    <rect class="track" x="0" y="6" width="1000" height="2" />
    <rect class="${kind}" x="${x}" y="2" width="${width}" height="10" />
  </svg>`
}

function place(
  { offsetMs, durationMs }: Pick<Span, 'offsetMs' | 'durationMs'>,
  spanMs: number,
): { readonly x: string; readonly width: string } {
  const scale = 1000 / Math.max(1, spanMs)
  const start = Math.min(1000, offsetMs * scale)
  // What was short is seen all the same.
  const width = Math.max(4, Math.min(1000 - start, durationMs * scale))
  return { x: Math.min(1000 - width, start).toFixed(1), width: width.toFixed(1) }
}
